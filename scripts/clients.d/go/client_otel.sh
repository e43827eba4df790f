# {"name": "OpenTelemetry Go 1.47.0, OTLP over HTTP", "again": "new", "overload": "otlp",
#  "retry": "none"}
exec "$CLIENTS_GO/otel"
