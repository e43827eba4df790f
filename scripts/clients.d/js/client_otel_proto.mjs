// {"name": "the same, Protocol Buffers", "again": "repeats", "overload": "otlp"}
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { run } from './otel.mjs';

await run(OTLPLogExporter);
