# {"name": "segment-analytics-python 2.4.0", "again": "new", "overload": "503", "retry": "other
#  bytes"}
# A message gets its id in the call, and keeps it when it is sent again, at another `sentAt`.
import segment.analytics as analytics
from load import EVENTS, GZIP, URL, rounds

analytics.write_key, analytics.host, analytics.gzip, analytics.max_queue_size = "any", URL, GZIP, EVENTS * 2
for events in rounds():
    for n, event in events:
        event.pop("large", None)  # The client itself refuses that.
        analytics.track("user", "event", event)
analytics.flush()
