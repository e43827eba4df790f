// {"name": "pino-loki 3.0.0 with `event_id`", "again": "repeats", "overload": "503", "retry":
//  "none", "cannot": ["gzip"], "expect": {"overload": {"stored": 0}}}
// It never sends anything again.
import pino from 'pino';
import pinoLoki from 'pino-loki';
import { rounds, sleep, url } from './load.mjs';

const stream = pinoLoki({ host: url, labels: { job: 'app' }, batching: { interval: 0.5, maxBufferSize: 50_000 } });
const log = pino({ timestamp: () => ',"time":1795305600000' }, stream);
for (const events of rounds()) {
  for (const event of events) log.info({ n: event.n, large: event.large, meta: { event_id: String(event.n) } }, event.message);
}
await sleep(6000);
stream.end();
await sleep(1000);
process.exit(0);
