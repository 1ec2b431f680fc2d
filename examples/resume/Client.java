import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A client that connects, resumes, and sends exactly once. Says on standard output what happens, one JSON object on a line, and takes
 * {@code say TEXT} and {@code quit} on standard input. Everything happens on one thread, {@code loop}; what comes from the socket,
 * from HTTP and from standard input is put there.
 */
final class Client {
    private static final long ANSWER_MS = 10_000;
    private static final int IN_FLIGHT = 16;
    private static final int ASIDE = 1_000;
    private static final int PAGE = 200;
    private static final List<String> TOKEN_ERRORS = List.of("unauthenticated", "token_expired", "token_revoked", "unknown_user");

    private record Sent(String clientId, long at) {}

    private final String server;
    private final Path tokenFile;
    private final String talk;
    private final Store store;
    private final ScheduledExecutorService loop = Executors.newSingleThreadScheduledExecutor();
    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofMillis(ANSWER_MS)).build();

    // Of the connection. `connection` counts them: what belongs to an older one is not listened to.
    private int connection;
    private WebSocket socket;
    private CompletableFuture<WebSocket> sending;
    private boolean welcomed;
    private String user;
    private long heartbeatMs;
    private long pingAt;
    private long pongDue;
    private long helloRetryMs;
    private String helloError;
    private long goawayAt;
    private long nextId;
    private long bodyBytes = Long.MAX_VALUE;
    private long frameBytes = Long.MAX_VALUE;
    /**
     * How many messages may be on their way: one from a failure on until all are sent, else `widest`. Those behind the one that failed
     * are answered `held`, which counts as refused, and who is refused too often is sent away with 4029.
     */
    private long window;
    private long widest;
    private volatile long heardAt;

    // Of coming back.
    private long ceilingMs = 1_000;
    private String token = "";
    private String refusedToken;

    // Of the outbox: what was sent on this connection and is not answered, by the `id` of its frame.
    private final Map<String, Sent> inFlight = new LinkedHashMap<>();
    private final Map<String, String> sentAs = new LinkedHashMap<>();
    private boolean draining;
    private long pausedUntil;

    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            System.err.println("java Client.java STATE ROOM, with ANTEROOM_URL and ANTEROOM_TOKEN_FILE in the environment");
            System.exit(64);
        }
        Client client = new Client(System.getenv("ANTEROOM_URL"), Path.of(System.getenv("ANTEROOM_TOKEN_FILE")), Path.of(args[0]), args[1]);
        client.run();
    }

    private Client(String server, Path tokenFile, Path state, String talk) throws IOException {
        this.server = server.replaceAll("/+$", "");
        this.tokenFile = tokenFile;
        this.talk = talk;
        this.store = new Store(state);
    }

    private void run() throws IOException {
        for (String id : List.of("inbox", talk)) {
            Store.Room room = store.room(id);
            tell("has", "room", id, "seq", room.applied, "hash", room.hash);
        }
        tell("has", "outbox", store.outbox.size());
        post(this::connect);
        loop.scheduleWithFixedDelay(guarded(this::tick), 500, 500, TimeUnit.MILLISECONDS);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String command = line;
            if (command.startsWith("say ")) post(() -> say(command.substring(4)));
            else if (command.equals("quit")) post(this::quit);
            else if (!command.isBlank()) tell("error", "message", "say TEXT, or quit");
        }
    }

    // ---- What the person does

    private void say(String body) {
        keep("queued", true, "client_id", UUID.randomUUID().toString(), "room", talk, "body", body);
        pump();
    }

    private void quit() {
        tell("quit", "outbox", store.outbox.size());
        connection++;
        welcomed = false;
        if (socket != null) sending.thenCompose(open -> open.sendClose(WebSocket.NORMAL_CLOSURE, ""));
        after(300, () -> System.exit(0));
    }

    // ---- Connecting

    private void connect() {
        int mine = ++connection;
        token = readToken();
        if (token.isEmpty() || token.equals(refusedToken)) {
            after(1_000, this::connect);
            return;
        }
        refusedToken = null;
        welcomed = false;
        socket = null;
        helloError = null;
        helloRetryMs = 0;
        goawayAt = 0;
        pongDue = 0;
        after(2 * ANSWER_MS, () -> {
            if (mine == connection && !welcomed) ended(mine, 0, "no welcome");
        });
        http.newWebSocketBuilder()
                .subprotocols("anteroom.v1.json")
                .connectTimeout(Duration.ofMillis(ANSWER_MS))
                .buildAsync(URI.create(server.replaceFirst("^http", "ws") + "/v1/ws"), new Listener(mine))
                .whenComplete((open, failure) -> post(() -> {
                    if (mine != connection) {
                        if (open != null) open.abort();
                    } else if (failure != null) {
                        refusedUpgrade(mine, failure);
                    } else {
                        hello(mine, open);
                    }
                }));
    }

    private void hello(int mine, WebSocket open) {
        socket = open;
        sending = CompletableFuture.completedFuture(open);
        heardAt = now();
        List<Object> cursors = new ArrayList<>();
        for (String id : List.of("inbox", talk)) {
            Store.Room room = store.room(id);
            room.joined = false;
            cursors.add(Json.of("room", id, "after", room.applied, "hash", room.hash));
        }
        send(Json.of("type", "hello", "id", "hello", "token", token, "client", "resume example, Java",
                "rooms", cursors, "changes_after", store.changesCursor));
        after(ANSWER_MS, () -> {
            if (mine == connection && !welcomed) ended(mine, 0, "no welcome");
        });
    }

    private void welcome(Map<String, Object> frame) {
        welcomed = true;
        ceilingMs = 1_000;
        user = (String) frame.get("user");
        heartbeatMs = (Long) frame.get("heartbeat_ms");
        pingAt = now() + heartbeatMs;
        Map<String, Object> limits = Json.object(frame.get("limits"));
        bodyBytes = (Long) limits.get("body_bytes");
        frameBytes = (Long) limits.get("frame_bytes");
        widest = Math.min(IN_FLIGHT, (Long) limits.get("commands_in_flight"));
        window = widest;
        tell("welcome", "rooms", frame.get("rooms"));
        for (Object each : (List<?>) frame.get("rooms")) joined(Json.object(each));
        changes(frame);
        for (Store.Room room : store.rooms.values()) fetch(room, 0);
        pump();
    }

    /** One answer to a cursor: in {@code welcome.rooms}, or as the {@code ok} of a {@code join}. */
    private void joined(Map<String, Object> answer) {
        Store.Room room = store.room((String) answer.get("room"));
        Object error = answer.get("error");
        if (error == null) {
            room.joined = true;
            room.head = (Long) answer.get("head");
            // `live`, `resumed`: the entries come. `gap`, `reset`: a frame of that name comes.
            return;
        }
        tell("not joined", "room", room.id, "error", error);
        if (!Boolean.TRUE.equals(Json.object(error).get("retryable"))) return;
        int mine = connection;
        after(later(error), () -> {
            if (mine == connection && welcomed) {
                send(Json.of("type", "join", "id", "join " + room.id, "room", room.id, "after", room.applied, "hash", room.hash));
            }
        });
    }

    private void refusedUpgrade(int mine, Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        if (cause instanceof WebSocketHandshakeException handshake && handshake.getResponse() != null) {
            Map<String, Object> problem = problem(handshake.getResponse());
            if (problem != null) {
                helloRetryMs = milliseconds(problem.get("retry_after_ms"));
                if (Boolean.FALSE.equals(problem.get("retryable"))) {
                    if (handshake.getResponse().statusCode() == 401) refusedToken = token;
                    else stop((String) problem.get("code"));
                }
                ended(mine, 0, "upgrade: " + problem.get("code"));
                return;
            }
        }
        ended(mine, 0, String.valueOf(cause));
    }

    /** The connection `mine` is over. Decides by the close code (0: there was none) whether and when to come back. */
    private void ended(int mine, int code, String why) {
        if (mine != connection) return;
        connection++;
        welcomed = false;
        if (socket != null) socket.abort();
        socket = null;
        inFlight.clear();
        sentAs.clear();
        draining = false;
        pausedUntil = 0;
        for (Store.Room room : store.rooms.values()) room.joined = false;

        boolean stays = code == 1000 && goawayAt == 0 || code == 1002 || code == 1003 || code == 1007;
        if (code == 4001 || code == 4501 || code == 4502) {
            refusedToken = token;
        } else if (stays || code >= 4500 && code <= 4999) {
            stop("closed with " + code + " " + why);
            return;
        }
        long wait = ThreadLocalRandom.current().nextLong(ceilingMs + 1);
        ceilingMs = Math.min(2 * ceilingMs, 30_000);
        if (code == 4029) wait += 10_000;
        wait = Math.max(wait, later(helloRetryMs));
        if (goawayAt > 0) wait = Math.max(0, goawayAt - now());
        tell("ended", "code", code, "why", helloError != null ? helloError : why, "wait_ms", wait);
        int then = connection;
        after(wait, () -> {
            if (then == connection) connect();
        });
    }

    private void stop(String why) {
        tell("stopped", "why", why, "outbox", store.outbox.size());
        System.exit(2);
    }

    // ---- What comes

    private void frame(Map<String, Object> frame) {
        Object id = frame.get("id");
        switch ((String) frame.get("type")) {
            case "welcome" -> welcome(frame);
            case "entry" -> {
                frame.remove("type");
                Store.Room room = store.room((String) frame.get("room"));
                offer(room, frame);
                if (!room.aside.isEmpty()) fetch(room, room.aside.firstKey() - 1);
            }
            case "gap" -> {
                tell("gap", "room", frame.get("room"), "from", frame.get("from"), "to", frame.get("to"));
                fetch(store.room((String) frame.get("room")), (Long) frame.get("to"));
            }
            case "reset" -> reset(frame);
            case "activity" -> keepHeads(store.changesCursor, List.of(frame), false);
            case "ok" -> ok((String) id, Json.object(frame.get("data")));
            case "error" -> error((String) id, Json.object(frame.get("error")));
            case "pong" -> pongDue = 0;
            case "goaway" -> {
                long wait = (Long) frame.get("reconnect_in_ms");
                tell("goaway", "wait_ms", wait);
                int mine = connection;
                goawayAt = now() + wait;
                after(wait, () -> {
                    if (mine == connection && socket != null) {
                        sending.thenCompose(open -> open.sendClose(WebSocket.NORMAL_CLOSURE, ""));
                        after(1_000, () -> ended(mine, 0, "goaway"));
                    }
                });
            }
            default -> { } // news this client does not show, or a frame of a later version
        }
    }

    private void ok(String id, Map<String, Object> data) {
        if (id.startsWith("join ")) joined(data);
        String clientId = sentAs.remove(id);
        inFlight.remove(id);
        if (clientId != null && store.outbox.containsKey(clientId)) {
            keep("acked", false, "client_id", clientId, "room", data.get("room"), "seq", data.get("seq"), "hash", data.get("hash"),
                    "duplicate", data.get("duplicate"), "body", store.outbox.get(clientId).get("body"));
            if (store.outbox.isEmpty()) window = widest;
        }
        pump();
    }

    private void error(String id, Map<String, Object> error) {
        if (!welcomed) {
            helloError = (String) error.get("code");
            helloRetryMs = milliseconds(error.get("retry_after_ms"));
            return;
        }
        if (id != null && id.startsWith("join ")) {
            Map<String, Object> answer = Json.of("room", id.substring(5), "error", error);
            joined(answer);
        }
        String clientId = id == null ? null : sentAs.remove(id);
        if (clientId == null) {
            tell("error", "id", id, "error", error);
            return;
        }
        boolean current = inFlight.remove(id) != null;
        if (TOKEN_ERRORS.contains(error.get("code"))) {
            pausedUntil = Long.MAX_VALUE; // the close that says the same follows, and the next connection sends it again
        } else if (!Boolean.TRUE.equals(error.get("retryable"))) {
            if (store.outbox.containsKey(clientId)) {
                keep("refused", false, "client_id", clientId, "code", error.get("code"), "message", error.get("message"));
            }
        } else if (current) {
            tell("again", "client_id", clientId, "code", error.get("code"), "held_by", error.get("held_by"),
                    "retry_after_ms", error.get("retry_after_ms"));
            draining = true;
            window = 1;
            // A rate names the moment of the next single message. To be refused for each of a long outbox is what 4029 is for, too.
            long atLeast = "rate_limited".equals(error.get("code")) ? 1_000 : 0;
            if (!"held".equals(error.get("code"))) pausedUntil = Math.max(pausedUntil, now() + Math.max(atLeast, later(error)));
        }
        pump();
    }

    // ---- The outbox

    /**
     * Sends what may be sent. After a failure nothing is sent until everything in flight is answered and the time is over; then the
     * oldest goes first, which is the one that `held_by` of all the others names, and the others behind it in their order.
     */
    private void pump() {
        if (!welcomed || now() < pausedUntil || draining && !inFlight.isEmpty()) return;
        draining = false;
        List<String> sent = inFlight.values().stream().map(Sent::clientId).toList();
        for (Map<String, Object> message : List.copyOf(store.outbox.values())) {
            String clientId = (String) message.get("client_id");
            if (sent.contains(clientId)) continue;
            if (inFlight.size() >= window) return;
            String id = "m" + ++nextId;
            Map<String, Object> frame = Json.of("type", "message.post", "id", id, "client_id", clientId,
                    "room", message.get("room"), "body", message.get("body"));
            if (bytes((String) message.get("body")) > bodyBytes) {
                keep("refused", false, "client_id", clientId, "code", "too_large", "message", "above what the server takes");
                continue;
            }
            boolean byHttp = bytes(Json.write(frame)) > frameBytes; // a body within its limit may not be so when it is escaped
            if (byHttp && !inFlight.isEmpty()) return;
            inFlight.put(id, new Sent(clientId, now()));
            sentAs.put(id, clientId);
            if (byHttp) {
                draining = true; // nothing may pass it on the other way
                postByHttp(id, clientId, message);
                return;
            }
            send(frame);
        }
    }

    private void postByHttp(String id, String clientId, Map<String, Object> message) {
        int mine = connection;
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + "/v1/rooms/" + message.get("room") + "/messages"))
                .timeout(Duration.ofMillis(ANSWER_MS)).header("Authorization", "Bearer " + token)
                .header("Idempotency-Key", clientId).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(Json.write(Json.of("body", message.get("body"))))).build();
        http.sendAsync(request, HttpResponse.BodyHandlers.ofString()).whenComplete((response, failure) -> post(() -> {
            if (mine != connection) return; // it is sent again anyway
            if (failure == null && response.statusCode() == 200) {
                ok(id, Json.parseObject(response.body()));
                return;
            }
            Map<String, Object> problem = failure == null ? problem(response) : null;
            error(id, problem != null ? problem : Json.of("code", "no answer", "retryable", true));
        }));
    }

    // ---- The logs

    /** Takes an entry in if it is the next one, and those behind it that came too early. */
    private void offer(Store.Room room, Map<String, Object> entry) {
        long seq = (Long) entry.get("seq");
        if (seq > room.applied + 1) {
            room.aside.put(seq, entry);
            if (room.aside.size() > ASIDE) room.aside.pollLastEntry(); // a page brings it again
            return;
        }
        if (seq == room.applied + 1) apply(room, entry);
        while (!room.aside.isEmpty() && room.aside.firstKey() <= room.applied + 1) {
            Map<String, Object> next = room.aside.pollFirstEntry().getValue();
            if ((Long) next.get("seq") == room.applied + 1) apply(room, next);
        }
    }

    private void apply(Store.Room room, Map<String, Object> entry) {
        keep("applied", false, "entry", entry);
        room.head = Math.max(room.head, room.applied);
    }

    private void reset(Map<String, Object> frame) {
        Object one = frame.get("room");
        tell("reset", "room", one, "reason", frame.get("reason"));
        for (String id : one == null ? List.copyOf(store.rooms.keySet()) : List.of((String) one)) drop(id);
        if (one == null) allRooms(store.changesCursor, null);
    }

    private void drop(String id) {
        long head = store.room(id).head;
        keep("reset", false, "room", id);
        fetch(store.room(id), head);
    }

    /** Sees to it that the log is applied up to `to`, by pages over HTTP. */
    private void fetch(Store.Room room, long to) {
        room.fetchTo = Math.max(room.fetchTo, to);
        if (room.fetching || room.applied >= room.fetchTo) return;
        room.fetching = true;
        page(room);
    }

    private void page(Store.Room room) {
        if (store.room(room.id) != room) return; // dropped meanwhile
        if (room.applied >= room.fetchTo) {
            room.fetching = false;
            return;
        }
        long before = room.applied;
        get("/v1/rooms/" + room.id + "/entries?after=" + before + "&limit=" + PAGE + "&proof=true", page -> {
            if (store.room(room.id) != room) return;
            List<?> items = (List<?>) page.get("items");
            long verified = room.verified;
            for (Object item : items) {
                Map<String, Object> entry = Json.object(item);
                Object proof = entry.remove("proof");
                offer(room, entry);
                if ((Long) entry.get("seq") == room.verified + 1 && !room.verifying) verify(room, Json.object(proof), entry);
            }
            keepVerified(room, verified);
            tell("page", "room", room.id, "after", before, "items", items.size(), "applied", room.applied);
            if (room.applied > before) page(room);
            else after(1_000 + ThreadLocalRandom.current().nextLong(1_000), () -> page(room));
        }, again -> {
            if (again >= 0) after(again, () -> page(room));
            else room.fetching = false;
        });
    }

    // ---- The chain

    /** Live entries bring no proof. It is fetched behind them, in pages, when they have stopped coming for a moment. */
    private void verifyRest(Store.Room room) {
        if (room.verifying || room.fetching || user == null || room.verified >= room.applied) return;
        room.verifying = true;
        get("/v1/rooms/" + room.id + "/entries?after=" + room.verified + "&limit=" + PAGE + "&proof=true", page -> {
            room.verifying = false;
            if (store.room(room.id) != room) return;
            long verified = room.verified;
            for (Object item : (List<?>) page.get("items")) {
                Map<String, Object> entry = Json.object(item);
                if ((Long) entry.get("seq") == room.verified + 1 && room.verified < room.applied) {
                    verify(room, Json.object(entry.get("proof")), entry);
                }
            }
            keepVerified(room, verified);
        }, again -> after(Math.max(again, 1_000), () -> room.verifying = false));
    }

    private void keepVerified(Store.Room room, long before) {
        if (room.verified > before) keep("verified", false, "room", room.id, "seq", room.verified, "hash", room.verifiedHash);
    }

    /** Computes the hash of what was applied, with the salts of the proof or, for a part that is not there, its digest. */
    private void verify(Store.Room room, Map<String, Object> proof, Map<String, Object> asPaged) {
        Map<String, Object> applied = room.unverified.get(room.verified + 1);
        Map<String, Object> entry = new java.util.TreeMap<>();
        entry.put("room", room.id.equals("inbox") ? "inbox:" + user : room.id);
        for (String field : List.of("seq", "kind", "at", "by", "client_id")) entry.put(field, applied.get(field));
        entry.put("public", digest(proof.get("public_salt"), applied.get("data"), proof.get("public_digest")));
        entry.put("private", digest(proof.get("private_salt"), applied.get("private"), proof.get("private_digest")));
        HexFormat hex = HexFormat.of();
        String hash = hex.formatHex(sha256(hex.parseHex(room.verifiedHash), utf8(Json.write(entry))));
        if (!hash.equals(applied.get("hash")) || !hash.equals(asPaged.get("hash"))) {
            tell("broken", "room", room.id, "entry", applied, "proof", proof, "computed", hash, "paged", asPaged.get("hash"));
            System.exit(3);
        }
        room.verified++;
        room.verifiedHash = hash;
    }

    private static String digest(Object salt, Object part, Object digest) {
        if (salt == null || part == null) return (String) digest;
        return HexFormat.of().formatHex(sha256(HexFormat.of().parseHex((String) salt), utf8(Json.write(part))));
    }

    private static byte[] sha256(byte[] first, byte[] second) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(first);
            return sha.digest(second);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---- The logs that are not joined

    /** {@code changes}, {@code changes_cursor} and {@code changes_more} of a {@code welcome}. */
    private void changes(Map<String, Object> welcome) {
        String cursor = (String) welcome.get("changes_cursor");
        if (store.changesCursor == null) {
            allRooms(cursor, null);
            return;
        }
        List<?> changes = (List<?>) welcome.getOrDefault("changes", List.of());
        if (cursor != null) keepHeads(cursor, changes, false);
        if (Boolean.TRUE.equals(welcome.get("changes_more"))) moreChanges();
    }

    private void moreChanges() {
        get("/v1/changes?limit=" + PAGE + "&after=" + store.changesCursor, page -> {
            boolean reset = Boolean.TRUE.equals(page.get("reset"));
            if (reset) for (String id : List.copyOf(store.rooms.keySet())) drop(id);
            keepHeads((String) page.get("cursor"), (List<?>) page.get("items"), reset);
            if (Boolean.TRUE.equals(page.get("has_more"))) moreChanges();
        }, again -> {
            if (again >= 0) after(again, this::moreChanges);
        });
    }

    /** A first visit: every room there is. The cursor is kept with the last page, because it stands for all of them. */
    private void allRooms(String cursor, String before) {
        get("/v1/rooms?limit=" + PAGE + (before == null ? "" : "&before=" + before), page -> {
            String next = (String) page.get("next");
            keepHeads(next == null ? cursor : store.changesCursor, (List<?>) page.get("items"), before == null);
            if (next != null) allRooms(cursor, next);
        }, again -> {
            if (again >= 0) after(again, () -> allRooms(cursor, before));
        });
    }

    private void keepHeads(String cursor, List<?> changes, boolean anew) {
        Map<String, Object> heads = Json.of();
        for (Object each : changes) {
            Map<String, Object> change = Json.object(each);
            String id = (String) change.get("room");
            boolean read = id.equals(talk) || id.equals("inbox");
            if (!read && (anew || (Long) change.get("head") > store.others.getOrDefault(id, 0L))) heads.put(id, change.get("head"));
        }
        if (anew || !heads.isEmpty() || !String.valueOf(cursor).equals(store.changesCursor)) {
            keep("changes", false, "cursor", cursor, "heads", heads, "anew", anew ? true : null);
        }
    }

    // ---- Staying alive

    private void tick() {
        if (!welcomed) return;
        for (Store.Room room : store.rooms.values()) verifyRest(room);
        long now = now();
        if (now - heardAt > heartbeatMs + 2 * ANSWER_MS || pongDue > 0 && now > pongDue) {
            ended(connection, 0, "no sign of life");
            return;
        }
        if (now >= pingAt || pongDue == 0 && now - heardAt > heartbeatMs + ANSWER_MS) {
            Map<String, Object> heads = Json.of();
            for (Store.Room room : store.rooms.values()) if (room.joined) heads.put(room.id, room.applied);
            send(Json.of("type", "ping", "id", "ping", "heads", heads));
            pingAt = now + heartbeatMs;
            pongDue = now + ANSWER_MS;
        }
        if (!inFlight.isEmpty() && now - inFlight.values().iterator().next().at() > ANSWER_MS) {
            tell("again", "why", "no answer");
            inFlight.clear();
        }
        pump();
    }

    private void send(Map<String, Object> frame) {
        int mine = connection;
        String text = Json.write(frame);
        sending = sending.thenCompose(open -> open.sendText(text, true));
        sending.exceptionally(failure -> {
            post(() -> ended(mine, 0, "cannot be sent"));
            return null;
        });
    }

    private final class Listener implements WebSocket.Listener {
        private final int mine;
        private final StringBuilder text = new StringBuilder();

        Listener(int mine) {
            this.mine = mine;
        }

        @Override
        public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            heardAt = now();
            text.append(part);
            if (!last) {
                from.request(1);
                return null;
            }
            String whole = text.toString();
            text.setLength(0);
            post(() -> {
                if (mine == connection) frame(Json.parseObject(whole));
                from.request(1);
            });
            return null;
        }

        @Override
        public CompletionStage<?> onPing(WebSocket from, java.nio.ByteBuffer message) {
            heardAt = now();
            from.request(1);
            return null; // the JDK answers it
        }

        @Override
        public CompletionStage<?> onClose(WebSocket from, int code, String reason) {
            post(() -> ended(mine, code, reason));
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable failure) {
            post(() -> ended(mine, 0, String.valueOf(failure)));
        }
    }

    // ---- HTTP

    /** Asks; `failed` is told after how many milliseconds to ask again, or -1: not at all. */
    private void get(String path, Consumer<Map<String, Object>> done, Consumer<Long> failed) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(server + path))
                .timeout(Duration.ofMillis(ANSWER_MS)).header("Authorization", "Bearer " + token).build();
        http.sendAsync(request, HttpResponse.BodyHandlers.ofString()).whenComplete((response, failure) -> post(() -> {
            if (failure == null && response.statusCode() == 200) {
                done.accept(Json.parseObject(response.body()));
                return;
            }
            Map<String, Object> problem = failure == null ? problem(response) : null;
            tell("error", "get", path.replaceAll("\\?.*", ""), "code", problem == null ? String.valueOf(failure) : problem.get("code"));
            boolean never = problem != null && Boolean.FALSE.equals(problem.get("retryable")) && response.statusCode() != 401;
            failed.accept(never ? -1L : Math.max(later(problem), 1_000));
        }));
    }

    /** The problem document, or null: then it is of somebody on the way, and counts as no answer. */
    private static Map<String, Object> problem(HttpResponse<?> response) {
        if (!(response.body() instanceof String body)) return null;
        if (!response.headers().firstValue("content-type").orElse("").startsWith("application/problem+json")) return null;
        return Json.parseObject(body);
    }

    // ---- Small things

    /** At least what `retry_after_ms` says, and a random part of it longer; up to a second where it says nothing. */
    private static long later(Object error) {
        return error == null ? 0 : later(milliseconds(Json.object(error).getOrDefault("retry_after_ms", 500L)));
    }

    private static long later(long milliseconds) {
        return milliseconds + ThreadLocalRandom.current().nextLong(milliseconds + 1);
    }

    private static long milliseconds(Object value) {
        return value instanceof Long number ? number : 0;
    }

    private String readToken() {
        try {
            return Files.readString(tokenFile).strip();
        } catch (IOException e) {
            return "";
        }
    }

    private static long now() {
        return System.nanoTime() / 1_000_000;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static int bytes(String text) {
        return utf8(text).length;
    }

    /** Keeps it, and then says it: what stands on standard output is in the state file. */
    private void keep(String what, boolean forced, Object... members) {
        Map<String, Object> line = Json.of(members);
        line.put("what", what);
        store.keep(line, forced);
        System.out.println(Json.write(line));
    }

    private static void tell(String what, Object... members) {
        Map<String, Object> line = Json.of(members);
        line.put("what", what);
        System.out.println(Json.write(line));
    }

    private void post(Runnable task) {
        loop.execute(guarded(task));
    }

    private void after(long milliseconds, Runnable task) {
        loop.schedule(guarded(task), milliseconds, TimeUnit.MILLISECONDS);
    }

    /** A mistake of this program ends it, rather than leave it half alive. */
    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (Throwable e) {
                e.printStackTrace();
                System.exit(70);
            }
        };
    }
}
