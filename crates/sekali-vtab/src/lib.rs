//! Read-only virtual tables of SQLite, in safe Rust.
//!
//! A [`Table`] says which conditions it can make use of, and opens [`Rows`]. SQLite checks every
//! condition again, so a table may ignore any of them. A panic in a table becomes an error of the
//! statement; it does not unwind into C.
//!
//! All `unsafe` of Sekali is in the module `glue`.

mod glue;

use std::ffi::CString;
use std::sync::Arc;

pub use glue::{Cell, register};
use rusqlite::Result;
use rusqlite::types::Value;

/// A table.
pub trait Table: Send + Sync + 'static {
    /// Its rows.
    type Rows: Rows;

    /// The `CREATE TABLE` statement that names its columns. Columns are numbered in its order.
    fn declaration(&self) -> CString;

    /// Chooses from the conditions that a statement offers.
    fn plan(&self, offer: &Offer) -> Plan;

    /// Rows for a scan that has not begun.
    fn open(self: &Arc<Self>) -> Self::Rows;
}

/// The rows of one scan after another.
pub trait Rows: 'static {
    /// Begins a scan, and goes to the first row.
    ///
    /// # Errors
    /// Those of reading.
    fn begin(&mut self, scan: ScanPlan) -> Result<()>;

    /// Goes to the next row.
    ///
    /// # Errors
    /// Those of reading.
    fn advance(&mut self) -> Result<()>;

    /// Whether there is no row here.
    fn is_end(&self) -> bool;

    /// Writes the value of a column of this row.
    ///
    /// # Errors
    /// The value is too large for SQLite.
    fn column(&self, column: usize, cell: &mut Cell<'_>) -> Result<()>;

    /// A number of this row, different from that of every other.
    fn row_id(&self) -> i64;
}

/// How a column is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`, or `IN`.
    Equal,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// A condition whose value is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The number of the column.
    pub column: usize,
    /// The comparison.
    pub comparison: Comparison,
    /// The name of the collation that it compares with.
    pub collation: String,
}

/// The wishes of a statement to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Conditions, all of which must hold.
    pub wishes: Vec<Wish>,
    /// Columns to sort by, with whether the greatest comes first.
    pub order: Vec<(usize, bool)>,
}

/// The columns that a statement may read of the rows of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnsUsed(u64);

impl ColumnsUsed {
    /// Whether it may read the column of this number.
    pub fn include(self, column: usize) -> bool {
        // The last bit stands for all columns from that number on.
        self.0 >> column.min(63) & 1 == 1
    }
}

impl Default for ColumnsUsed {
    /// All of them.
    fn default() -> Self {
        Self(u64::MAX)
    }
}

/// The answer of a table to an offer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// The numbers of the wishes whose values it wants.
    pub taken: Vec<usize>,
    /// How much work a scan is, against other plans.
    pub cost: f64,
    /// How many rows a scan has, about.
    pub rows: i64,
    /// Whether rows will come in the order that is offered.
    pub is_ordered: bool,
}

/// A condition of a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The number of the column.
    pub column: usize,
    /// The comparison.
    pub comparison: Comparison,
    /// The value to compare with; several for `IN`.
    pub values: Vec<Value>,
}

/// A scan, as it was planned.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScanPlan {
    /// The conditions that the plan has taken.
    pub conditions: Vec<Condition>,
    /// Whether the first column of the order, if there is one, is sorted with the greatest first.
    pub is_descending: bool,
    /// The columns whose values may be asked for.
    pub used: ColumnsUsed,
}
