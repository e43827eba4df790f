# expect {"twice": [30, 30], "killed": [30, 30]}
# opensearch-py.
import os
from opensearchpy import OpenSearch, helpers

client = OpenSearch(os.environ["URL"], retry_on_timeout=True, max_retries=8)
assert client.info()["version"]["distribution"] == "opensearch"
for _ in range(int(os.environ["TIMES"])):
    docs = [{"_op_type": "create", "_index": "logs", "_id": str(n), "message": f"event {n}"}
            for n in range(int(os.environ["EVENTS"]))]
    done, errors = helpers.bulk(client, docs)
    assert (done, errors) == (len(docs), []), (done, errors)
