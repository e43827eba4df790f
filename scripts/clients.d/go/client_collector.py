# {"name": "OpenTelemetry Collector 0.165.0, `filelog` to `otlphttp`, queue on disk", "again":
#  "new", "overload": "otlp", "restarts": true, "cannot": []}
# The receiver's place in the file and the queue are both kept on disk.
import os
from daemons import GZIP, URL, WORK, run

(WORK / "storage").mkdir()
config = WORK / "collector.yaml"
config.write_text(f"""
extensions:
  file_storage: {{directory: {WORK}/storage, fsync: true}}
receivers:
  filelog:
    include: [{WORK}/app.log]
    start_at: beginning
    max_log_size: 2MiB
    storage: file_storage
exporters:
  otlphttp:
    endpoint: {URL}
    compression: {"gzip" if GZIP else "none"}
    sending_queue: {{storage: file_storage, queue_size: 100000, sizer: items}}
    retry_on_failure: {{initial_interval: 1s, max_elapsed_time: 0}}
service:
  extensions: [file_storage]
  pipelines:
    logs: {{receivers: [filelog], exporters: [otlphttp]}}
""")
run([os.path.join(os.environ["CLIENTS_GO"], "collector"), "--config", config])
