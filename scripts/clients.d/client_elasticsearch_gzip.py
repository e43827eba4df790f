# expect {"twice": [30, 30], "killed": [30, 10]}
# elasticsearch-py with gzip, in batches of ten.
import os
from elasticsearch import Elasticsearch, helpers

es = Elasticsearch(os.environ["URL"], retry_on_timeout=True, max_retries=8, http_compress=True)
for _ in range(int(os.environ["TIMES"])):
    docs = ({"_op_type": "index", "_index": "logs", "_id": str(n), "message": f"event {n}"}
            for n in range(int(os.environ["EVENTS"])))
    for ok, item in helpers.streaming_bulk(es, docs, chunk_size=10):
        assert ok, item
