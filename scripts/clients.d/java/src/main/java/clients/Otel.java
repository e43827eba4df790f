package clients;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import java.util.concurrent.TimeUnit;

/** The OpenTelemetry SDK, OTLP over HTTP. */
public final class Otel {
    private Otel() {}

    public static void main(String[] args) {
        var exporter = OtlpHttpLogRecordExporter.builder()
                .setEndpoint(Load.URL + "/v1/logs")
                .setCompression(Load.GZIP ? "gzip" : "none")
                .build();
        var processor = BatchLogRecordProcessor.builder(exporter).setMaxQueueSize(2 * Load.EVENTS + 512).build();
        var provider = SdkLoggerProvider.builder().addLogRecordProcessor(processor).build();
        var logger = provider.get("shop");
        for (int time = 0; time < Load.TIMES; time++) {
            for (var event : Load.round(time)) {
                LogRecordBuilder record = logger.logRecordBuilder().setBody((String) event.get("message"));
                record.setAttribute(AttributeKey.longKey("n"), ((Integer) event.get("n")).longValue());
                if (event.get("large") instanceof String large) {
                    record.setAttribute(AttributeKey.stringKey("large"), large);
                }
                record.emit();
            }
            provider.forceFlush().join(30, TimeUnit.SECONDS);
        }
        provider.shutdown().join(30, TimeUnit.SECONDS);
    }
}
