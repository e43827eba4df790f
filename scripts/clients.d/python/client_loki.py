# {"name": "python-logging-loki 0.3.1", "again": "new", "overload": "503", "retry": "none",
#  "cannot": ["gzip", "large"], "expect": {"overload": {"stored": 29}}}
# A line a request, never sent again: whatever is not answered is lost.
import logging
import logging_loki
from load import URL, rounds

handler = logging_loki.LokiHandler(URL + "/loki/api/v1/push", tags={"job": "shop"}, version="1")
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(logging.INFO)
for events in rounds():
    for n, event in events:
        log.info(event["message"] + event.get("large", ""))
