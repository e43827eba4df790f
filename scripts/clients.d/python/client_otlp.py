# {"name": "OpenTelemetry Python 1.45.2, OTLP over HTTP", "again": "new", "overload": "otlp"}
import logging
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from load import EVENTS, GZIP, URL, rounds

provider = LoggerProvider(resource=Resource.create({"service.name": "shop", "host.name": "a"}))
exporter = OTLPLogExporter(URL + "/v1/logs", compression=Compression.Gzip if GZIP else Compression.NoCompression)
# Larger than the default, which drops what comes faster than it is sent.
provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=EVENTS + 512))
set_logger_provider(provider)
log = logging.getLogger("shop")
log.addHandler(LoggingHandler(logger_provider=provider))
log.setLevel(logging.INFO)
for events in rounds():
    for n, event in events:
        log.info(event["message"], extra={"n": n, "list": [1, "a"]} | ({"large": event["large"]} if "large" in event else {}))
provider.force_flush()
provider.shutdown()
