// {"name": "pino-elasticsearch 9.0.0 with `event_id`", "again": "repeats", "overload": "items",
//  "cannot": ["gzip"]}
import pino from 'pino';
import pinoElastic from 'pino-elasticsearch';
import { rounds, sleep, url } from './load.mjs';

const stream = pinoElastic({
  index: 'logs', esVersion: 8, opType: 'create', flushBytes: 1 << 20, flushInterval: 500,
  node: { url: new URL(url), headers: { 'X-Sekali-Id': '/event_id' } },
});
// The time of a log line is content: the same line again has the same one.
const log = pino({ timestamp: () => ',"time":"2026-11-22T00:00:00Z"' }, stream);
for (const events of rounds()) {
  for (const event of events) log.info({ ...event, event_id: String(event.n) }, event.message);
}
stream.end();
await sleep(7000); // It waits for 5 s before it sends an item again.
process.exit(0);
