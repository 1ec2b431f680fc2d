import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * As much JSON as the client needs. Objects are maps whose keys are sorted by UTF-16 code units, and the writer puts nothing between
 * the tokens: so whatever it writes is in the form of RFC 8785 (JCS), which the chain of hashes is computed over. The wire has no
 * numbers but integers; another one is refused rather than written in a form that would not be canonical.
 */
final class Json {
    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /** An object is a {@code Map<String, Object>}, an array a {@code List<Object>}, a number a {@code Long}, or a {@code Double}. */
    static Object parse(String text) {
        Json parser = new Json(text);
        Object value = parser.value();
        parser.space();
        if (parser.at != text.length()) throw parser.broken("something behind the end");
        return value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        if (value instanceof Map) return (Map<String, Object>) value;
        throw new IllegalArgumentException("no object");
    }

    static Map<String, Object> parseObject(String text) {
        return object(parse(text));
    }

    /** {@code of("a", 1, "b", null)}: an object of what is given; a member whose value is null is left out. */
    static Map<String, Object> of(Object... members) {
        Map<String, Object> map = new TreeMap<>();
        for (int i = 0; i < members.length; i += 2) if (members[i + 1] != null) map.put((String) members[i], members[i + 1]);
        return map;
    }

    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value == null || value instanceof Boolean || value instanceof Long || value instanceof Integer) {
            out.append(value);
        } else if (value instanceof String string) {
            quote(string, out);
        } else if (value instanceof List<?> list) {
            String between = "[";
            for (Object item : list) {
                out.append(between);
                write(item, out);
                between = ",";
            }
            out.append(list.isEmpty() ? "[]" : "]");
        } else if (value instanceof Map<?, ?> map) {
            String between = "{";
            for (Map.Entry<?, ?> member : map.entrySet()) {
                out.append(between);
                quote((String) member.getKey(), out);
                out.append(':');
                write(member.getValue(), out);
                between = ",";
            }
            out.append(map.isEmpty() ? "{}" : "}");
        } else {
            throw new IllegalArgumentException("not written here: " + value.getClass());
        }
    }

    private static void quote(String string, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\b' -> out.append("\\b");
                case '\t' -> out.append("\\t");
                case '\n' -> out.append("\\n");
                case '\f' -> out.append("\\f");
                case '\r' -> out.append("\\r");
                default -> {
                    if (c < 0x20) out.append(String.format("\\u%04x", (int) c));
                    else out.append(c);
                }
            }
        }
        out.append('"');
    }

    private Object value() {
        space();
        switch (peek()) {
            case '{': {
                Map<String, Object> map = new TreeMap<>();
                at++;
                for (boolean first = true; !closed('}', first); first = false) {
                    space();
                    String key = string();
                    space();
                    expect(':');
                    map.put(key, value());
                }
                return map;
            }
            case '[': {
                List<Object> list = new ArrayList<>();
                at++;
                for (boolean first = true; !closed(']', first); first = false) list.add(value());
                return list;
            }
            case '"':
                return string();
            case 't':
                return word("true", true);
            case 'f':
                return word("false", false);
            case 'n':
                return word("null", null);
            default:
                return number();
        }
    }

    /** Whether the object or array ends here; if not, takes the comma before the next member. */
    private boolean closed(char end, boolean first) {
        space();
        if (peek() == end) {
            at++;
            return true;
        }
        if (!first) expect(',');
        return false;
    }

    private String string() {
        expect('"');
        StringBuilder out = new StringBuilder();
        while (peek() != '"') {
            char c = text.charAt(at++);
            if (c < 0x20) throw broken("a control character in a string");
            if (c != '\\') {
                out.append(c);
                continue;
            }
            char escaped = peek();
            at++;
            switch (escaped) {
                case 'b' -> out.append('\b');
                case 't' -> out.append('\t');
                case 'n' -> out.append('\n');
                case 'f' -> out.append('\f');
                case 'r' -> out.append('\r');
                case '"', '\\', '/' -> out.append(escaped);
                case 'u' -> {
                    if (at + 4 > text.length()) throw broken("the text ends in an escape");
                    out.append((char) Integer.parseInt(text.substring(at, at + 4), 16));
                    at += 4;
                }
                default -> throw broken("an unknown escape");
            }
        }
        at++;
        return out.toString();
    }

    private Object number() {
        int from = at;
        while (at < text.length() && "+-.eE0123456789".indexOf(text.charAt(at)) >= 0) at++;
        String digits = text.substring(from, at);
        try {
            if (digits.matches("-?\\d+")) return Long.valueOf(digits);
            return Double.valueOf(digits);
        } catch (NumberFormatException e) {
            throw broken("no value");
        }
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) throw broken("no value");
        at += word.length();
        return value;
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
    }

    private char peek() {
        if (at >= text.length()) throw broken("the text ends too early");
        return text.charAt(at);
    }

    private void expect(char c) {
        if (peek() != c) throw broken("no " + c);
        at++;
    }

    private IllegalArgumentException broken(String why) {
        return new IllegalArgumentException("not JSON: " + why + " at " + at);
    }
}
