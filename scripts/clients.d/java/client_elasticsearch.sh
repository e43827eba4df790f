# {"name": "elasticsearch-java 9.5.6, `BulkIngester` with `_id`", "again": "repeats", "overload":
#  "items", "retry": "none"}
exec java -cp "$CLIENTS_JAVA/classes:$CLIENTS_JAVA/lib/*" clients.Elasticsearch
