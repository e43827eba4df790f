# expect {"twice": [30, 30], "killed": [30, 1]}
# cloudevents, with requests and urllib3's retries; binary and structured in turn.
import os
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent

session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(8, backoff_factor=0.1, allowed_methods=None)))
for _ in range(int(os.environ["TIMES"])):
    for n in range(int(os.environ["EVENTS"])):
        event = CloudEvent({"id": str(n), "source": "/shop", "type": "order", "time": "2026-11-22T00:00:00Z"}, {"n": n})
        headers, body = (to_binary if n % 2 else to_structured)(event)
        session.post(os.environ["URL"] + "/cloudevents", headers=headers, data=body, timeout=10).raise_for_status()
