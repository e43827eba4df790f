export { type Batch, Client, type ConsumeOptions, type Count, type Published, type Rows } from "./client.js";
export type { RefusedEvent } from "./delivery.js";
export { type ErrorDetail, InvalidEvent, NotPublished, Refused, SekaliError, Unavailable } from "./errors.js";
export { type Event, type Json, newEventId, type StoredEvent } from "./event.js";
export type { Connection, Params } from "./http.js";
export { Publisher, type PublisherOptions, type PublisherStats, type Spool } from "./publisher.js";
