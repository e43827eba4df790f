// OpenTelemetry for JavaScript, whose times have milliseconds: each record gets an id.
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { gzip, rounds, url } from './load.mjs';

export async function run(OTLPLogExporter) {
  const exporter = new OTLPLogExporter({ url: `${url}/v1/logs`, compression: gzip ? 'gzip' : 'none' });
  const identify = {
    onEmit: record => record.setAttribute('log.record.uid', String(record.attributes.n)),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new LoggerProvider({
    processors: [identify, new BatchLogRecordProcessor({ exporter, maxQueueSize: 50_000 })],
  });
  const log = provider.getLogger('shop');
  for (const events of rounds()) {
    for (const { message, n, large } of events) {
      log.emit({ body: message, timestamp: 1_795_305_600_000, observedTimestamp: 1_795_305_600_000, attributes: { n, ...(large && { large }) } });
    }
    await provider.forceFlush();
  }
  await provider.shutdown();
}
