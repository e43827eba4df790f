export { Client, type Count, type Published } from "./client.js";
export type { RefusedEvent } from "./delivery.js";
export { type ErrorDetail, InvalidEvent, NotPublished, Refused, SekaliError, Unavailable } from "./errors.js";
export { type Event, type Json, newEventId, type StoredEvent } from "./event.js";
export type { Connection, Params } from "./http.js";
export { Publisher, type PublisherOptions, type PublisherStats, type Spool } from "./publisher.js";
