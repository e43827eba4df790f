//! SQL over stored events: one statement that reads, by the SQLite that is built in. Knows no HTTP.
//!
//! Each statement has a connection of its own, to an empty database in memory, on which the events
//! are virtual tables ([`sekali_vtab`]). It reads one moment of the store, sealed and live events
//! alike, and sees the topics of its client and no others: they are left out below SQLite, so that
//! no statement can name them. Conditions on topic, key, source, seq and times reach the engine.
//!
//! A statement is text from outside that is run, so it is fenced in twice. The authorizer allows
//! reading, of these tables and by listed functions, and nothing else. Time, memory, the size of
//! values and answers, and space on disk are bounded whatever it says.

mod answer;
mod cells;
mod collation;
mod conditions;
mod error;
mod events_table;
mod fence;
mod functions;
mod moment;
mod statement;
mod topics_table;
mod watch;

pub use answer::{SqlAnswer, SqlFormat};
pub use error::{SqlError, StatementPlace};
pub(crate) use fence::spill_into;
pub use moment::SqlView;
pub use statement::{SqlParameter, SqlStatement, run};
