package clients;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** Logback with loki4j; each event has an id in the structured metadata. */
public final class Loki4j {
    private static final String CONFIGURATION = """
            <configuration>
              <appender name="LOKI" class="com.github.loki4j.logback.Loki4jAppender">
                <http><url>%s/loki/api/v1/push</url></http>
                <labels>job=shop</labels>
                <structuredMetadata>event_id=%%mdc{event_id}</structuredMetadata>
                <message><pattern>%%msg</pattern></message>
                <batch><timeoutMs>500</timeoutMs><maxBytes>4194304</maxBytes><sendQueueMaxBytes>104857600</sendQueueMaxBytes></batch>
              </appender>
              <root level="INFO"><appender-ref ref="LOKI"/></root>
            </configuration>
            """;

    private Loki4j() {}

    public static void main(String[] args) throws Exception {
        var context = (LoggerContext) LoggerFactory.getILoggerFactory();
        context.reset();
        var configurator = new JoranConfigurator();
        configurator.setContext(context);
        var text = CONFIGURATION.formatted(Load.URL);
        configurator.doConfigure(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        var log = LoggerFactory.getLogger("shop");
        for (int time = 0; time < Load.TIMES; time++) {
            for (var event : Load.round(time)) {
                // An id for each event, as a filter or the application makes it.
                MDC.put("event_id", String.valueOf(event.get("n")));
                log.info("{}{}", event.get("message"), event.getOrDefault("large", ""));
            }
        }
        // A batch is sent after half a second, and again after another, if it is.
        Thread.sleep(5_000);
        context.stop();
    }
}
