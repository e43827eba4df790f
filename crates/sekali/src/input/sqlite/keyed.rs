//! Reading a table in the order of its row numbers or its primary key.

use std::collections::VecDeque;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, Result, ToSql, params_from_iter};

use super::cell::{CELLS, event_of};
use super::connection::is_damage;
use super::gap::{self, Gap};
use super::table::{Order, Table, quoted};
use super::{CHUNK_BYTES, CHUNK_ROWS, Fetched};

/// Fetches rows that come after the last one that was fetched.
pub(super) struct Keyed {
    database: Connection,
    /// `"events" AS t`
    from: String,
    /// The columns of the order, as SQL has them.
    keys: Vec<String>,
    is_rowid: bool,
    /// The key of the last row that was fetched, behind which reading goes on; the row number at
    /// which it does. To look for what is behind a row that is lost would lead to its damaged page.
    after: Option<Vec<Key>>,
    /// A table without row numbers that is damaged is read from its end as well, to here.
    before: Option<Vec<Key>>,
    /// Why it is read from its end.
    damage: Option<String>,
    is_done: bool,
    rows_read: u64,
    first_and_last: Option<(i64, i64)>,
}

/// A value of a key, bound again exactly as it was read: text need not be UTF-8.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Key {
    Null,
    Integer(i64),
    Real(f64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

impl Keyed {
    /// Reads nothing yet, but makes sure that the table can be asked.
    pub(super) fn new(database: Connection, table: &Table) -> Result<Self> {
        let (keys, is_rowid) = match &table.order {
            Order::Rowid(name) => (vec![format!("t.{name}")], true),
            Order::Key(names) => (names.iter().map(|name| format!("t.{name}")).collect(), false),
            Order::None => (Vec::new(), false),
        };
        let mut keyed = Self {
            database,
            from: format!("{} AS t", quoted(&table.name)),
            keys,
            is_rowid,
            after: None,
            before: None,
            damage: None,
            is_done: false,
            rows_read: 0,
            first_and_last: None,
        };
        keyed.database.prepare(&keyed.select(1))?;
        if is_rowid {
            // For the progress bar only: either end may be damaged.
            let ends = format!("SELECT min({key}), max({key}) FROM {from}", key = keyed.keys[0], from = keyed.from);
            keyed.first_and_last = keyed.database.query_row(&ends, [], |row| Ok((row.get(0)?, row.get(1)?))).ok();
        }
        Ok(keyed)
    }

    /// Appends the next rows, or the gap that follows; nothing at the end.
    pub(super) fn fetch(&mut self, fetched: &mut VecDeque<Fetched>) -> Result<()> {
        while fetched.is_empty() && !self.is_done {
            match self.fetch_rows(fetched) {
                Ok(0) => {
                    self.is_done = true;
                    let damage = self.damage.take();
                    fetched.extend(damage.map(|damage| self.rest_is_lost(&damage)));
                }
                Ok(_) => {}
                // What was read before the damage counts; the next call finds the damage at once.
                Err(error) if is_damage(&error) && !fetched.is_empty() => {}
                Err(error) if is_damage(&error) => self.pass(&error, fetched)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// How much of the table is read, from 0 to 1, as far as row numbers tell.
    #[expect(clippy::cast_precision_loss, reason = "a bar for people")]
    pub(super) fn share(&self) -> f64 {
        match (self.first_and_last, self.last_rowid()) {
            (Some((first, last)), Some(rowid)) if first < last => {
                (rowid as f64 - first as f64) / (last as f64 - first as f64)
            }
            _ => 0.0,
        }
    }

    /// The row number behind which reading goes on.
    fn last_rowid(&self) -> Option<i64> {
        match self.after.as_deref() {
            Some([Key::Integer(next)]) => next.checked_sub(1),
            _ => None,
        }
    }

    /// Passes damage: finds where reading can go on, and names what lies between.
    fn pass(&mut self, error: &Error, fetched: &mut VecDeque<Fetched>) -> Result<()> {
        if self.is_rowid {
            let gap = self.gap()?;
            let rows = gap.bounds().and_then(|(first, last)| self.count_between(first, last));
            fetched.push_back(gap.describe(rows, &error.to_string()));
            self.after = gap.resume_at.map(|rowid| vec![Key::Integer(rowid)]);
            self.is_done = self.after.is_none();
        } else if let Some(damage) = self.damage.take() {
            self.is_done = true;
            fetched.push_back(self.rest_is_lost(&damage));
        } else {
            self.damage = Some(error.to_string());
        }
        Ok(())
    }

    /// Finds the end of the damage behind the last row that was read.
    fn gap(&self) -> Result<Gap> {
        let (key, from) = (&self.keys[0], &self.from);
        let sql = format!("SELECT {CELLS} FROM {from} WHERE {key} >= ?1 ORDER BY {key} LIMIT 1");
        let mut select = self.database.prepare(&sql)?;
        // Whether the first row from a row number on can be read, or there is none.
        Gap::behind(self.last_rowid(), |rowid| match select.query([rowid])?.next() {
            Ok(_) => Ok(true),
            Err(error) if is_damage(&error) => Ok(false),
            Err(error) => Err(error),
        })
    }

    /// How many rows have these row numbers, where an index knows: the plus sign keeps SQLite from
    /// asking the table itself.
    fn count_between(&self, first: i64, last: i64) -> Option<u64> {
        let sql = format!("SELECT count(*) FROM {} WHERE +{} BETWEEN ?1 AND ?2", self.from, self.keys[0]);
        self.database.query_row(&sql, [first, last], |row| row.get(0)).ok().and_then(|rows: i64| rows.try_into().ok())
    }

    /// The gap between the rows read from the beginning and those read from the end.
    fn rest_is_lost(&self, damage: &str) -> Fetched {
        let all = self.database.query_row(&format!("SELECT count(*) FROM {}", self.from), [], |row| row.get(0)).ok();
        gap::unreachable(self.rows_read, all.and_then(|all: i64| all.try_into().ok()), damage)
    }

    fn fetch_rows(&mut self, fetched: &mut VecDeque<Fetched>) -> Result<u64> {
        let sql = self.select(CHUNK_ROWS);
        let mut select = self.database.prepare(&sql)?;
        let mut rows = select.query(params_from_iter(self.after.iter().chain(&self.before).flatten()))?;
        let (mut count, mut bytes, mut last) = (0, 0, None);
        let result = loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            let key = (0..self.keys.len()).map(|column| row.get_ref(column).map(Key::from));
            let key = key.collect::<Result<Vec<Key>>>()?;
            count += 1;
            let place = match key.as_slice() {
                [Key::Integer(rowid)] if self.is_rowid => *rowid,
                _ => place_of(self.rows_read + count),
            };
            let read = Fetched::Row { place, event: event_of(row, self.keys.len())? };
            bytes += read.bytes();
            fetched.push_back(read);
            last = Some(key);
            if bytes >= CHUNK_BYTES {
                break Ok(());
            }
        };
        drop(rows);
        drop(select);
        self.rows_read += count;
        if last.is_some() {
            self.move_on(last, fetched);
        }
        result.map(|()| count)
    }

    /// Reading goes on behind this key. A damaged table may lead back, and then it would go on for
    /// ever.
    fn move_on(&mut self, last: Option<Vec<Key>>, fetched: &mut VecDeque<Fetched>) {
        let bound = if self.damage.is_some() { &mut self.before } else { &mut self.after };
        let leads_back = match (bound.as_deref(), last.as_deref()) {
            (Some([Key::Integer(next)]), Some([Key::Integer(now)])) if self.is_rowid => now < next,
            (before, now) => before == now,
        };
        *bound = match last.as_deref() {
            Some([Key::Integer(now)]) if self.is_rowid => {
                let next = now.checked_add(1);
                self.is_done = next.is_none();
                next.map(|next| vec![Key::Integer(next)])
            }
            _ => last,
        };
        if leads_back {
            self.is_done = true;
            fetched.push_back(gap::unreachable(self.rows_read, None, "its rows are not in order"));
        }
    }

    /// `SELECT t.a, t.b, … FROM "events" AS t WHERE (t.a, t.b) > (?1, ?2) ORDER BY t.a, t.b LIMIT
    /// 1000`
    fn select(&self, rows: usize) -> String {
        let (keys, from, width) = (self.keys.join(", "), &self.from, self.keys.len());
        let bound = |operator, first: usize| {
            let values: Vec<String> = (first..first + width).map(|number| format!("?{number}")).collect();
            format!("({keys}) {operator} ({})", values.join(", "))
        };
        let after = self.after.is_some().then(|| bound(if self.is_rowid { ">=" } else { ">" }, 1));
        let before = self.before.is_some().then(|| bound("<", if self.after.is_some() { 1 + width } else { 1 }));
        let conditions: Vec<String> = after.into_iter().chain(before).collect();
        let condition = if conditions.is_empty() { "" } else { " WHERE " };
        let direction = if self.damage.is_some() { " DESC" } else { "" };
        let order: Vec<String> = self.keys.iter().map(|key| format!("{key}{direction}")).collect();
        let (conditions, order) = (conditions.join(" AND "), order.join(", "));
        format!("SELECT {keys}, {CELLS} FROM {from}{condition}{conditions} ORDER BY {order} LIMIT {rows}")
    }
}

/// The place of the row of this number, from 1.
pub(super) fn place_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl From<ValueRef<'_>> for Key {
    fn from(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(text) => Self::Text(text.to_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_owned()),
        }
    }
}

impl ToSql for Key {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
