import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the client knows, in a file that only grows: one JSON line for each thing that came to be known. An entry and the cursor that
 * says it was applied are one line, so there is no moment at which one is kept without the other. A line that a killed client has not
 * finished is cut off at the next start: it was never known.
 */
final class Store {
    /** One log: up to where it was applied, and up to where its chain was computed. */
    static final class Room {
        final String id;
        long applied;
        String hash;
        long verified;
        String verifiedHash = "0".repeat(64);
        /** What was applied and not verified yet, by number. */
        final TreeMap<Long, Map<String, Object>> unverified = new TreeMap<>();
        /** Entries that came before one that is still missing. */
        final TreeMap<Long, Map<String, Object>> aside = new TreeMap<>();
        /** The head the server has named, and the number up to which pages are to be fetched. */
        long head;
        long fetchTo;
        boolean fetching;
        boolean verifying;
        boolean joined;

        Room(String id) {
            this.id = id;
        }
    }

    final Map<String, Room> rooms = new TreeMap<>();
    /** Not answered yet, in the order in which it was said: {@code client_id}, {@code room}, {@code body}. */
    final LinkedHashMap<String, Map<String, Object>> outbox = new LinkedHashMap<>();
    /** The heads of the logs that are not joined. */
    final Map<String, Long> others = new TreeMap<>();
    String changesCursor;

    private final FileChannel file;

    Store(Path path) throws IOException {
        file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        if (file.tryLock() == null) throw new IOException("another client holds " + path);
        byte[] bytes = Files.readAllBytes(path);
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') end--;
        file.truncate(end);
        file.position(end);
        for (String line : new String(bytes, 0, end, StandardCharsets.UTF_8).split("\n")) {
            if (!line.isEmpty()) know(Json.parseObject(line));
        }
    }

    Room room(String id) {
        return rooms.computeIfAbsent(id, Room::new);
    }

    /** Writes the line, and takes it in. `forced`: it has to outlast a loss of power too. */
    void keep(Map<String, Object> line, boolean forced) {
        ByteBuffer bytes = ByteBuffer.wrap((Json.write(line) + "\n").getBytes(StandardCharsets.UTF_8));
        try {
            while (bytes.hasRemaining()) file.write(bytes);
            if (forced) file.force(false);
        } catch (IOException e) {
            throw new IllegalStateException("the state cannot be written", e);
        }
        know(line);
    }

    private void know(Map<String, Object> line) {
        switch ((String) line.get("what")) {
            case "applied" -> {
                Map<String, Object> entry = Json.object(line.get("entry"));
                Room room = room((String) entry.get("room"));
                room.applied = (Long) entry.get("seq");
                room.hash = (String) entry.get("hash");
                room.unverified.put(room.applied, entry);
            }
            case "verified" -> {
                Room room = room((String) line.get("room"));
                room.verified = (Long) line.get("seq");
                room.verifiedHash = (String) line.get("hash");
                room.unverified.headMap(room.verified, true).clear();
            }
            case "reset" -> {
                Room old = rooms.get((String) line.get("room"));
                Room room = new Room((String) line.get("room"));
                if (old != null) {
                    room.head = old.head;
                    room.joined = old.joined;
                }
                rooms.put(room.id, room);
            }
            case "queued" -> outbox.put((String) line.get("client_id"), line);
            case "acked", "refused" -> outbox.remove((String) line.get("client_id"));
            case "changes" -> {
                changesCursor = (String) line.get("cursor");
                if (Boolean.TRUE.equals(line.get("anew"))) others.clear();
                Json.object(line.get("heads")).forEach((room, head) -> others.put(room, (Long) head));
            }
            default -> throw new IllegalArgumentException("a line of another program: " + line);
        }
    }
}
