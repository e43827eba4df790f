# expect {"twice": [60, 0], "killed": [30, 0]}
# python-logging-loki: a line a request, never sent again. Here an answer is lost, and no line.
import logging, os
import logging_loki

handler = logging_loki.LokiHandler(os.environ["URL"] + "/loki/api/v1/push", tags={"job": "shop"}, version="1")
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel(logging.INFO)
for _ in range(int(os.environ["TIMES"])):
    for n in range(int(os.environ["EVENTS"])):
        log.info("event %d", n)
