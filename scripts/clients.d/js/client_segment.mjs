// {"name": "@segment/analytics-node 3.1.0", "again": "repeats", "overload": "503", "retry":
//  "other bytes", "cannot": ["gzip"]}
import { Analytics } from '@segment/analytics-node';
import { rounds, url } from './load.mjs';

const analytics = new Analytics({ writeKey: 'KEY', host: url, maxEventsInBatch: 100, maxRetries: 10 });
analytics.on('error', error => console.error(error));
for (const events of rounds()) {
  for (const { large, ...properties } of events) {
    // Its ids are its own but where the program gives one.
    analytics.track({ userId: 'user', event: 'event', messageId: String(properties.n), timestamp: '2026-11-22T00:00:00Z', properties });
  }
}
await analytics.closeAndFlush();
