# expect {"twice": [60, 0], "killed": [30, 30]}
# segment-analytics-python: each message has an id, which its retries repeat.
import os
import segment.analytics as analytics

analytics.write_key, analytics.host = "any", os.environ["URL"]
for _ in range(int(os.environ["TIMES"])):
    for n in range(int(os.environ["EVENTS"])):
        analytics.track("user", "event", {"n": n})
analytics.flush()
