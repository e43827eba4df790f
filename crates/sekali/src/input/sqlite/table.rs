//! Finding the table that has the events, and the way to read it some rows at a time.

use rusqlite::{Connection, Result};

use sekali_wire::columns::EVENT;

/// The table that is taken without being asked for, if it has the columns of an event.
const USUAL: &str = "events";
/// The names of SQLite's own row number. A column of such a name hides it.
const ROWIDS: [&str; 3] = ["rowid", "_rowid_", "oid"];
/// Tables that an error names.
const NAMED_MAX: usize = 20;

/// A table or view.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) order: Order,
    columns: Vec<String>,
    is_table: bool,
}

/// The order that the rows of a table can be read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Order {
    /// The row number, under a name that no column hides.
    Rowid(String),
    /// The primary key of a table without row numbers.
    Key(Vec<String>),
    /// Nothing: they can only be read from beginning to end.
    None,
}

/// Finds the table of this name, or the one that has the columns of an event.
///
/// # Errors
/// There is none, or there are several: the text names them.
pub(super) fn choose(database: &Connection, wanted: Option<&str>) -> std::result::Result<Table, String> {
    let tables = tables(database).map_err(|error| format!("its tables cannot be listed: {error}"))?;
    let named = |name: &str| tables.iter().find(|table| table.name.eq_ignore_ascii_case(name));
    if let Some(wanted) = wanted {
        let table = named(wanted).ok_or_else(|| format!("there is no table {wanted}; {}", list(&tables)))?;
        return table.check().map(|()| table.clone());
    }
    if let Some(table) = named(USUAL).filter(|table| table.check().is_ok()) {
        return Ok(table.clone());
    }
    let mut fitting: Vec<&Table> = tables.iter().filter(|table| table.check().is_ok()).collect();
    // A view is mostly another look at a table.
    if fitting.iter().any(|table| table.is_table) {
        fitting.retain(|table| table.is_table);
    }
    match (fitting.as_slice(), named(USUAL)) {
        ([table], _) => Ok((*table).clone()),
        ([], Some(usual)) => usual.check().map(|()| usual.clone()),
        ([], None) => Err(format!("no table has the columns {}; {}", EVENT.join(", "), list(&tables))),
        (several, _) => {
            let names: Vec<&str> = several.iter().map(|table| table.name.as_str()).collect();
            Err(format!("several tables have the columns of events: choose one with --table: {}", names.join(", ")))
        }
    }
}

impl Table {
    /// Whether it has the columns of an event.
    fn check(&self) -> std::result::Result<(), String> {
        let has = |name: &str| self.columns.iter().any(|column| column.eq_ignore_ascii_case(name));
        let missing: Vec<&str> = EVENT.into_iter().filter(|name| !has(name)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let (name, missing, columns) = (&self.name, missing.join(", "), self.columns.join(", "));
        Err(format!("table {name} has no column {missing}; it has {columns}, and events need {}", EVENT.join(", ")))
    }
}

/// The tables to choose from.
fn list(tables: &[Table]) -> String {
    let mut names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).take(NAMED_MAX).collect();
    if tables.len() > NAMED_MAX {
        names.push("and more");
    }
    if names.is_empty() { "there is no table in it".to_owned() } else { format!("there are: {}", names.join(", ")) }
}

fn tables(database: &Connection) -> Result<Vec<Table>> {
    let mut select = database.prepare(
        "SELECT name, type, wr FROM pragma_table_list \
         WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    )?;
    let rows = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let listed = rows.collect::<Result<Vec<(String, String, bool)>>>()?;
    Ok(listed.into_iter().map(|(name, kind, without_rowid)| table(database, name, &kind, without_rowid)).collect())
}

fn table(database: &Connection, name: String, kind: &str, without_rowid: bool) -> Table {
    // A view of what is no longer there has no columns.
    let columns = columns(database, &name).unwrap_or_default();
    let mut keys: Vec<&Column> = columns.iter().filter(|column| column.key > 0).collect();
    keys.sort_by_key(|column| column.key);
    let order = match (kind, without_rowid) {
        ("table", true) if !keys.is_empty() => Order::Key(keys.iter().map(|column| quoted(&column.name)).collect()),
        ("table", false) => rowid(&columns, &keys).map_or(Order::None, Order::Rowid),
        _ => Order::None,
    };
    Table { name, order, columns: columns.into_iter().map(|column| column.name).collect(), is_table: kind != "view" }
}

/// A name of the row number that means it in this table.
fn rowid(columns: &[Column], keys: &[&Column]) -> Option<String> {
    let hidden = |name: &str| columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
    if let Some(name) = ROWIDS.into_iter().find(|name| !hidden(name)) {
        return Some(name.to_owned());
    }
    match keys {
        [key] if key.declared.eq_ignore_ascii_case("INTEGER") => Some(quoted(&key.name)),
        _ => None,
    }
}

struct Column {
    name: String,
    declared: String,
    /// Its place in the primary key, from 1; 0 if it is none of it.
    key: i64,
}

fn columns(database: &Connection, table: &str) -> Result<Vec<Column>> {
    // Generated and hidden columns are listed, too.
    let mut select = database.prepare("SELECT name, type, pk FROM pragma_table_xinfo(?1)")?;
    let rows =
        select.query_map([table], |row| Ok(Column { name: row.get(0)?, declared: row.get(1)?, key: row.get(2)? }))?;
    rows.collect()
}

/// A name as SQL has it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
