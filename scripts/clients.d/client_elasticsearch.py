# expect {"twice": [30, 30], "killed": [30, 30]}
# elasticsearch-py, with ids of its own: the same documents a second time are repeats.
import os
from elasticsearch import Elasticsearch, helpers

es = Elasticsearch(os.environ["URL"], retry_on_timeout=True, max_retries=8)
assert es.info()["tagline"] == "You Know, for Search"
for _ in range(int(os.environ["TIMES"])):
    docs = [{"_op_type": "create", "_index": "logs-2026.11.22", "_id": str(n), "message": f"event {n}"}
            for n in range(int(os.environ["EVENTS"]))]
    done, errors = helpers.bulk(es, docs)
    assert (done, errors) == (len(docs), []), (done, errors)
