# {"name": "opensearch-py 3.2.0, `helpers.streaming_bulk` with `_id`", "again": "repeats",
#  "overload": "items"}
from opensearchpy import OpenSearch, helpers
from load import GZIP, URL, rounds

client = OpenSearch(URL, retry_on_timeout=True, max_retries=8, http_compress=GZIP)
assert client.info()["version"]["distribution"] == "opensearch"
for events in rounds():
    docs = ({"_op_type": "create", "_index": "logs", "_id": str(n), "_source": event} for n, event in events)
    for ok, item in helpers.streaming_bulk(client, docs, raise_on_error=False, max_retries=8, initial_backoff=1):
        assert ok or item["create"]["status"] in (400, 409), item
