# {"name": "elasticsearch-py 9.5.1, `helpers.streaming_bulk` with `_id`", "again": "repeats",
#  "overload": "items"}
from elasticsearch import Elasticsearch, helpers
from load import GZIP, URL, rounds

es = Elasticsearch(URL, retry_on_timeout=True, max_retries=8, http_compress=GZIP)
assert es.info()["tagline"] == "You Know, for Search"
for events in rounds():
    docs = ({"_op_type": "create", "_index": "logs-2026.11.22", "_id": str(n), "_source": event} for n, event in events)
    for ok, item in helpers.streaming_bulk(es, docs, raise_on_error=False, max_retries=8, initial_backoff=1):
        assert ok or item["create"]["status"] in (400, 409), item
