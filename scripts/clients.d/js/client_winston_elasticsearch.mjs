// {"name": "winston-elasticsearch 0.19.0 with `event_id`", "again": "repeats", "overload":
//  "items", "retry": "other bytes", "cannot": ["gzip", "conflict", "invalid"]}
// It sends the batch again for every item that fails, so that it is not made to.
import winston from 'winston';
import { ElasticsearchTransformer, ElasticsearchTransport } from 'winston-elasticsearch';
import { rounds, sleep, url } from './load.mjs';

const transport = new ElasticsearchTransport({
  level: 'info', flushInterval: 500, bufferLimit: 30_000,
  clientOpts: { node: url, headers: { 'X-Sekali-Id': '/event_id' }, maxRetries: 0 },
  transformer: data => ({ ...ElasticsearchTransformer({ ...data, timestamp: '2026-11-22T00:00:00Z' }), event_id: data.meta.event_id }),
});
const log = winston.createLogger({ transports: [transport] });
for (const events of rounds()) {
  for (const event of events) log.info(event.message, { n: event.n, event_id: String(event.n) });
}
await sleep(4000);
await transport.flush();
process.exit(0);
