//! The two traits of `rusqlite` that a virtual table must implement, on structures of which the
//! first field is SQLite's own.
//!
//! The traits are `unsafe` since C casts between the structure and its first field: it must be
//! `repr(C)` with that field first, which is all that there is to keep here. Nothing below
//! dereferences a pointer. A table without it would have to be copied for each statement before
//! SQLite can say which rows it wants: decision 060 has the cost of that.

#![expect(unsafe_code, reason = "`VTab` and `VTabCursor` are unsafe traits; see above")]

use std::borrow::Cow;
use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::ffi::{sqlite3_vtab, sqlite3_vtab_cursor};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::vtab::{Context, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConnection, VTabCursor};
use rusqlite::{Connection, Error, Result};

use crate::{ColumnsUsed, Comparison, Condition, Offer, Plan, Rows, ScanPlan, Table, Wish};

/// Most conditions of one scan.
const WISHES_MAX: usize = 64;

/// Makes a table known to a connection by a name that is no other table's.
///
/// # Errors
/// Those of SQLite.
pub fn register<T: Table>(connection: &Connection, name: &str, table: Arc<T>) -> Result<()> {
    let module = const { &Module::<TableBase<T>>::eponymous_only_module() };
    connection.create_module(name, module, Some(table))
}

/// The place of a value that is read.
pub struct Cell<'a>(&'a mut Context);

impl Cell<'_> {
    /// Writes a text of UTF-8.
    ///
    /// # Errors
    /// It is too large.
    pub fn text(&mut self, text: &[u8]) -> Result<()> {
        self.0.set_result(ToSqlOutput::Borrowed(ValueRef::Text(text)))
    }

    /// Writes a number.
    ///
    /// # Errors
    /// None.
    pub fn integer(&mut self, number: i64) -> Result<()> {
        self.0.set_result(number)
    }
}

#[repr(C)]
struct TableBase<T> {
    /// SQLite's own; must be the first.
    base: sqlite3_vtab,
    table: Arc<T>,
}

#[repr(C)]
struct RowsBase<R> {
    /// SQLite's own; must be the first.
    base: sqlite3_vtab_cursor,
    rows: R,
    /// SQLite may use a cursor on the thread of its connection only.
    not_send: PhantomData<*const ()>,
}

// SAFETY: `TableBase` is `repr(C)`, and its first field is `sqlite3_vtab`.
unsafe impl<T: Table> VTab<'_> for TableBase<T> {
    type Aux = Arc<T>;
    type Cursor = RowsBase<T::Rows>;

    fn connect(
        _: &mut VTabConnection,
        table: Option<&Arc<T>>,
        _module_name: &[u8],
        _database_name: &[u8],
        _table_name: &[u8],
        _arguments: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Self)> {
        let table = table.ok_or_else(|| Error::ModuleError("the table is not registered".to_owned()))?;
        let declaration = caught(|| Ok(table.declaration()))?;
        Ok((Cow::Owned(declaration), Self { base: sqlite3_vtab::default(), table: Arc::clone(table) }))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        let (offer, places) = offer(info)?;
        let plan = caught(|| Ok(self.table.plan(&offer)))?;
        answer(info, &offer, &places, &plan)?;
        Ok(true)
    }

    fn open(&mut self) -> Result<Self::Cursor> {
        let rows = caught(|| Ok(self.table.open()))?;
        Ok(RowsBase { base: sqlite3_vtab_cursor::default(), rows, not_send: PhantomData })
    }
}

// SAFETY: `RowsBase` is `repr(C)`, and its first field is `sqlite3_vtab_cursor`.
unsafe impl<R: Rows> VTabCursor for RowsBase<R> {
    fn filter(&mut self, number: c_int, text: Option<&str>, arguments: &Filters<'_>) -> Result<()> {
        let (used, conditions) = read_used(text.unwrap_or_default());
        let conditions = read_plan(conditions)
            .enumerate()
            .map(|(at, (column, comparison, is_list))| {
                let values = if is_list {
                    list(arguments, at)?
                } else {
                    arguments.iter().nth(at).map(owned).into_iter().collect()
                };
                Ok(Condition { column, comparison, values })
            })
            .collect::<Result<_>>()?;
        let rows = &mut self.rows;
        caught(|| rows.begin(ScanPlan { conditions, is_descending: number != 0, used }))
    }

    fn next(&mut self) -> Result<()> {
        caught(|| self.rows.advance())
    }

    fn eof(&self) -> bool {
        // A table that panics has ended.
        caught(|| Ok(self.rows.is_end())).unwrap_or(true)
    }

    fn column(&self, context: &mut Context, column: c_int) -> Result<()> {
        caught(|| self.rows.column(usize::try_from(column).unwrap_or(usize::MAX), &mut Cell(context)))
    }

    fn rowid(&self) -> Result<i64> {
        caught(|| Ok(self.rows.row_id()))
    }
}

/// Turns a panic into an error: it must not unwind into C.
fn caught<O>(work: impl FnOnce() -> Result<O>) -> Result<O> {
    let panicked = |_| Err(Error::ModuleError("the table panicked".to_owned()));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(panicked)
}

/// The offer of SQLite, and the number that each condition has for it.
fn offer(info: &mut IndexInfo) -> Result<(Offer, Vec<(usize, bool)>)> {
    let usable = info.constraints().enumerate().filter(|(_, constraint)| constraint.is_usable());
    let usable: Vec<_> = usable
        .filter_map(|(place, constraint)| {
            let column = usize::try_from(constraint.column()).ok()?;
            Some((place, column, comparison(&constraint.operator())?))
        })
        .take(WISHES_MAX)
        .collect();
    let (mut wishes, mut places) = (Vec::new(), Vec::new());
    for (place, column, comparison) in usable {
        wishes.push(Wish { column, comparison, collation: info.collation(place)?.to_owned() });
        places.push((place, info.is_in_constraint(place)?));
    }
    let order = info.order_bys().map(|by| (usize::try_from(by.column()).unwrap_or(usize::MAX), by.is_order_by_desc()));
    let order = order.collect();
    Ok((Offer { wishes, order }, places))
}

fn answer(info: &mut IndexInfo, offer: &Offer, places: &[(usize, bool)], plan: &Plan) -> Result<()> {
    let mut text = format!("{:x};", info.col_used());
    for (argument, taken) in (1..).zip(&plan.taken) {
        let Some((wish, (place, is_list))) = offer.wishes.get(*taken).zip(places.get(*taken)) else { continue };
        info.constraint_usage(*place).set_argv_index(argument);
        if *is_list {
            info.set_in_constraint(*place, true)?;
        }
        let comparison = letter(wish.comparison, *is_list);
        text.push_str(&format!("{}{comparison}", wish.column));
    }
    info.set_idx_str(&text);
    info.set_idx_num(c_int::from(offer.order.first().is_some_and(|(_, is_descending)| *is_descending)));
    info.set_order_by_consumed(plan.is_ordered && !offer.order.is_empty());
    info.set_estimated_cost(plan.cost);
    info.set_estimated_rows(plan.rows);
    Ok(())
}

/// The columns that are read, which such a text begins with, and the rest of it.
fn read_used(text: &str) -> (ColumnsUsed, &str) {
    let (used, rest) = text.split_once(';').unwrap_or(("", text));
    (u64::from_str_radix(used, 16).map_or_else(|_| ColumnsUsed::default(), ColumnsUsed), rest)
}

/// The conditions in the text that SQLite keeps between a plan and its scan.
fn read_plan(text: &str) -> impl Iterator<Item = (usize, Comparison, bool)> {
    text.split_inclusive(|letter: char| !letter.is_ascii_digit()).filter_map(|part| {
        let (column, letter) = part.split_at_checked(part.len().checked_sub(1)?)?;
        let comparison = match letter {
            "=" | "i" => Comparison::Equal,
            ">" => Comparison::Above,
            "g" => Comparison::AtLeast,
            "<" => Comparison::Below,
            "l" => Comparison::AtMost,
            _ => return None,
        };
        Some((column.parse().ok()?, comparison, letter == "i"))
    })
}

fn letter(comparison: Comparison, is_list: bool) -> char {
    match comparison {
        Comparison::Equal if is_list => 'i',
        Comparison::Equal => '=',
        Comparison::Above => '>',
        Comparison::AtLeast => 'g',
        Comparison::Below => '<',
        Comparison::AtMost => 'l',
    }
}

fn comparison(operator: &IndexConstraintOp) -> Option<Comparison> {
    match operator {
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ => Some(Comparison::Equal),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GT => Some(Comparison::Above),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GE => Some(Comparison::AtLeast),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LT => Some(Comparison::Below),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LE => Some(Comparison::AtMost),
        _ => None,
    }
}

fn list(arguments: &Filters<'_>, at: usize) -> Result<Vec<Value>> {
    arguments.in_values(at)?.map(|value| Ok(owned(value))).collect()
}

/// A copy of a value. A text that is not UTF-8 becomes a blob.
fn owned(value: ValueRef<'_>) -> Value {
    let bytes = value.as_bytes().unwrap_or_default();
    Value::try_from(value).unwrap_or_else(|_| Value::Blob(bytes.to_vec()))
}
