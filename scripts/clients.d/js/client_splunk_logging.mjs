// {"name": "splunk-logging 0.11.1 with `event_id`, `maxRetries: 8`", "again": "repeats",
//  "overload": "silence", "cannot": ["gzip"]}
import splunk from 'splunk-logging';
import { rounds, url } from './load.mjs';

const log = new splunk.Logger({ token: 'KEY', url: `${url}/services/collector/event/1.0?id=/event/event_id`, maxRetries: 8, maxBatchCount: 0, batchInterval: 0 });
log.error = error => console.error(String(error));
log.eventFormatter = message => ({ ...message, event_id: String(message.n) });
for (const events of rounds()) {
  for (const event of events) {
    log.send({ message: event, metadata: { time: 1_795_305_600 } });
  }
  await new Promise(done => log.flush(done));
}
