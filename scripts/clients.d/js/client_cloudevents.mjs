// {"name": "cloudevents 10.0.0 with axios and axios-retry", "again": "repeats", "overload":
//  "429", "cannot": ["gzip", "large"]}
import axios from 'axios';
import axiosRetry from 'axios-retry';
import { CloudEvent, emitterFor, HTTP } from 'cloudevents';
import { rounds, url } from './load.mjs';

axiosRetry(axios, {
  retries: 8,
  retryDelay: axiosRetry.exponentialDelay,
  retryCondition: error => !error.response || [429, 503].includes(error.response.status),
});
const emit = emitterFor(
  ({ headers, body }) => axios.post(`${url}/cloudevents`, body, { headers }).catch(error => {
    if (![400, 409].includes(error.response?.status)) throw error;
  }),
  { binding: HTTP, mode: 'binary' },
);
for (const events of rounds()) {
  for (const event of events) {
    await emit(new CloudEvent({ id: String(event.n), source: '/shop', type: 'order', time: '2026-11-22T00:00:00Z', data: event }));
  }
}
