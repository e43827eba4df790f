# expect {"twice": [60, 0], "killed": [30, 30]}
# OpenTelemetry for Python over HTTP: two rounds are different records, a retry is known.
import logging, os
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

provider = LoggerProvider(resource=Resource.create({"service.name": "shop", "host.name": "a"}))
exporter = OTLPLogExporter(os.environ["URL"] + "/v1/logs", compression=Compression.Gzip)
provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
set_logger_provider(provider)
log = logging.getLogger("shop")
log.addHandler(LoggingHandler(logger_provider=provider))
log.setLevel(logging.INFO)
for _ in range(int(os.environ["TIMES"])):
    for n in range(int(os.environ["EVENTS"])):
        log.info("event %d", n, extra={"n": n, "list": [1, "a"]})
provider.force_flush()
provider.shutdown()
