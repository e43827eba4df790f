// {"name": "winston-loki 6.1.7 with `event_id`, `json: true`", "again": "repeats", "overload":
//  "503", "retry": "any", "cannot": ["gzip"]}
// Only with `json` does it send structured metadata. It waits for 60 s before it sends anything again.
import winston from 'winston';
import LokiTransport from 'winston-loki';
import { rounds, sleep, url } from './load.mjs';

const transport = new LokiTransport({
  host: url, labels: { job: 'app' }, json: true, interval: 0.5, timeout: 10_000, replaceTimestamp: false,
});
const log = winston.createLogger({ format: winston.format.json(), transports: [transport] });
for (const events of rounds()) {
  for (const event of events) {
    log.info({ message: event.message + (event.large ?? ''), n: event.n, event_id: String(event.n), timestamp: 1_795_305_600_000 });
  }
  await transport.flush();
}
if (['killed', 'overload'].includes(process.env.SITUATION)) await sleep(65_000);
process.exit(0);
