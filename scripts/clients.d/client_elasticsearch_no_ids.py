# expect {"twice": [60, 0], "killed": [30, 30]}
# elasticsearch-py without ids, times in microseconds: built anew, events are others; the client's
# own retry is known.
import datetime, os
from elasticsearch import Elasticsearch, helpers

es = Elasticsearch(os.environ["URL"], retry_on_timeout=True, max_retries=8)
for _ in range(int(os.environ["TIMES"])):
    docs = [{"_index": "logs", "@timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
             "message": f"event {n}"} for n in range(int(os.environ["EVENTS"]))]
    helpers.bulk(es, docs)
