# {"name": "the same without `_id`, times in microseconds", "again": "new", "overload": "items"}
import datetime
from elasticsearch import Elasticsearch, helpers
from load import GZIP, URL, rounds

es = Elasticsearch(URL, retry_on_timeout=True, max_retries=8, http_compress=GZIP)
for events in rounds():
    docs = ({"_index": "logs", "_source": event | {"@timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat()}}
            for _, event in events)
    for ok, item in helpers.streaming_bulk(es, docs, raise_on_error=False, max_retries=8, initial_backoff=1):
        assert ok, item
