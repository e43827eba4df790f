package clients;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The events that these clients send. */
final class Load {
    static final String URL = System.getenv("URL");
    static final boolean GZIP = System.getenv("GZIP") != null;
    static final int EVENTS = number("EVENTS", 0);
    static final int TIMES = number("TIMES", 1);
    private static final int CONFLICT = number("CONFLICT", -1);
    private static final int INVALID = number("INVALID", -1);

    private Load() {}

    static int number(String name, int otherwise) {
        String text = System.getenv(name);
        return text == null ? otherwise : Integer.parseInt(text);
    }

    /** The same events each time, but for the one that conflicts. One may be larger than the server takes. */
    static List<Map<String, Object>> round(int time) {
        List<Map<String, Object>> events = new ArrayList<>();
        for (int n = 0; n < EVENTS; n++) {
            Map<String, Object> event = new HashMap<>();
            event.put("n", n);
            event.put("message", "event " + n + (time > 0 && n == CONFLICT ? " changed" : ""));
            if (n == INVALID) {
                event.put("large", "x".repeat(1_200_000));
            }
            events.add(event);
        }
        return events;
    }
}
