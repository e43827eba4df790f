//! Live tails: Server-Sent Events of what becomes durable, and requests that wait for events.

mod client;
mod keys;
mod live;
mod resume;
mod slow;
mod wait;
