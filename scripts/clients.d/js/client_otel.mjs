// {"name": "OpenTelemetry JS 0.223.1, OTLP over HTTP, JSON, with `log.record.uid`", "again":
//  "repeats", "overload": "otlp"}
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { run } from './otel.mjs';

await run(OTLPLogExporter);
