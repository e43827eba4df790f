//! One file per command.

pub(super) mod backup;
pub(super) mod bench;
pub(super) mod completions;
pub(super) mod conflicts;
pub(super) mod count;
pub(super) mod demo;
pub(super) mod events;
pub(super) mod export;
pub(super) mod fields;
pub(super) mod health;
pub(super) mod import;
pub(super) mod keys;
pub(super) mod man;
pub(super) mod publish;
pub(super) mod restore;
pub(super) mod serve;
pub(super) mod sql;
pub(super) mod stats;
pub(super) mod tail;
pub(super) mod verify;
