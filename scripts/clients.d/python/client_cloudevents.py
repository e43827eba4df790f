# {"name": "cloudevents 2.2.0 with requests and urllib3's retries", "again": "repeats",
#  "overload": "429", "cannot": ["gzip", "large"]}
# Binary and structured in turn.
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry
from cloudevents.v1.conversion import to_binary, to_structured
from cloudevents.v1.http import CloudEvent
from load import URL, rounds

session = requests.Session()
session.mount("http://", HTTPAdapter(max_retries=Retry(8, backoff_factor=0.1, allowed_methods=None, status_forcelist=[429, 503])))
for events in rounds():
    for n, event in events:
        attributes = {"id": str(n), "source": "/shop", "type": "order", "time": "2026-11-22T00:00:00Z",
                      "datacontenttype": "application/json"}
        event = CloudEvent(attributes, event)
        headers, body = (to_binary if n % 2 else to_structured)(event)
        answer = session.post(URL + "/cloudevents", headers=headers, data=body, timeout=10)
        assert answer.status_code in (202, 400, 409), answer.text
