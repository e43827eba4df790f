// {"name": "@elastic/elasticsearch 9.4.3, `helpers.bulk` with `_id`", "again": "repeats",
//  "overload": "items"}
import { Client } from '@elastic/elasticsearch';
import { gzip, rounds, url } from './load.mjs';

const client = new Client({ node: url, compression: gzip, maxRetries: 8 });
for (const events of rounds()) {
  await client.helpers.bulk({
    datasource: events,
    onDocument: event => ({ create: { _index: 'logs', _id: String(event.n) } }),
    wait: 1000,
    retries: 5,
  });
}
await client.close();
