# {"name": "syslog-ng 3.38, `http()` to `/ingest` with `$UNIQID`", "again": "new", "overload":
#  "503", "restarts": true, "cannot": ["gzip"]}
# Partial batches are put together anew for a retry: only the id tells.
from daemons import PORT, ROOT, URL, WORK, run

config = WORK / "syslog-ng.conf"
config.write_text(f"""@version: 3.38
options {{ use-uniqid(yes); frac-digits(6); log-msg-size(2097152); time-reopen(1); stats-freq(0); }};
source s {{ file("{WORK}/app.log" flags(no-parse) follow-freq(0.2)); }};
destination sekali {{
  http(
    url("{URL}/ingest?topic=logs&id=/event_id&timestamp=/time&source=/host")
    headers("Authorization: Bearer KEY", "Content-Type: application/x-ndjson")
    method("POST") body-suffix("\\n") batch-lines(100) batch-timeout(200)
    body("$(format-json --pair event_id=$UNIQID --pair time=$ISODATE --pair host=$HOST --pair program=$PROGRAM --pair message=$MSG)")
    disk-buffer(reliable(yes) disk-buf-size(268435456) mem-buf-size(10485760) dir("{WORK}"))
    persist-name("sekali")
  );
}};
log {{ source(s); destination(sekali); }};
""")
run([ROOT / "usr/sbin/syslog-ng", "-F", "-f", config, "-R", WORK / "persist", "-c", WORK / "control", "-p", WORK / "pid",
                  "--module-path", ROOT / "usr/lib/syslog-ng/3.38", "--no-caps"])
