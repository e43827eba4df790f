//! All peers, one file each.

mod floor;
mod handler;
mod jetstream;
mod postgresql;
mod redis;
mod seed;
mod sekali;
mod sqlite;

use crate::peer::{Peer, Shape};

/// All of them, in the order in which they are measured and reported.
pub(crate) fn all() -> Vec<Box<dyn Peer>> {
    let mut all: Vec<Box<dyn Peer>> = vec![
        Box::new(sekali::BATCHES),
        Box::new(floor::Floor),
        Box::new(sqlite::Sqlite),
        Box::new(postgresql::Postgresql),
    ];
    all.extend(jetstream::variants());
    all.extend::<[Box<dyn Peer>; 5]>([
        Box::new(redis::Redis),
        Box::new(seed::Seed),
        Box::new(sekali::SINGLE),
        Box::new(handler::Handler),
        Box::new(sekali::HALF_LOAD),
    ]);
    all
}

/// The load in batches of Sekali and of the peers that it is compared with.
const BATCHES: Shape = Shape { connections: 16, batch_size: 500 };
/// The same with single events.
const SINGLE: Shape = Shape { connections: 64, batch_size: 1 };
