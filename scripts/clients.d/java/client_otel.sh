# {"name": "OpenTelemetry Java 1.68.0, OTLP over HTTP", "again": "new", "overload": "otlp",
#  "retry": "none"}
exec java -cp "$CLIENTS_JAVA/classes:$CLIENTS_JAVA/lib/*" clients.Otel
