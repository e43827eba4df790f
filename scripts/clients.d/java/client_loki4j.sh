# {"name": "loki4j 2.1.0 on Logback, `event_id` in structured metadata", "again": "repeats",
#  "overload": "503", "retry": "none", "cannot": ["gzip"]}
exec java -cp "$CLIENTS_JAVA/classes:$CLIENTS_JAVA/lib/*" clients.Loki4j
