//! The fence of a statement: it reads these tables by these functions, in bounded memory.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, Result};
use sekali_store::CONFLICTS_TOPIC;

use super::{SqlError, SqlView};
use crate::limits::{SQL_ARGUMENTS_MAX, SQL_CACHE_BYTES, SQL_COLUMNS_MAX, SQL_COMPOUND_MAX, SQL_DEPTH_MAX};
use crate::limits::{SQL_MEMORY_BYTES_MAX, SQL_PARAMETERS_MAX, SQL_PATTERN_BYTES_MAX, SQL_PROGRAM_MAX};
use crate::limits::{SQL_TEXT_BYTES_MAX, SQL_VALUE_BYTES_MAX};

const TABLES: [&str; 5] = ["events", "conflicts", "topics", "json_each", "json_tree"];

/// How the names of SQLite's own tables begin.
const INTERNAL: [&str; 4] = ["sqlite_", "pragma_", "dbstat", "fts"];

/// Functions, operators that are functions among them. Left out are those that reach beyond the
/// statement, those that make large values for no use (`zeroblob`, `randomblob`), and those whose
/// time grows with the square of their arguments (`json_patch`, `unhex`): none can be interrupted.
#[rustfmt::skip]
const FUNCTIONS: [&str; 92] = [
    "->", "->>", "abs", "avg", "char", "coalesce", "concat", "concat_ws", "count", "cume_dist", "current_date",
    "current_time", "current_timestamp", "date", "datetime", "dense_rank", "first_value", "format", "glob",
    "group_concat", "hex", "if", "ifnull", "iif", "instr", "json", "json_array", "json_array_length", "json_extract",
    "json_group_array", "json_group_object", "json_insert", "json_object", "json_quote", "json_remove",
    "json_replace", "json_set", "json_type", "json_valid", "julianday", "lag", "last_value", "lead", "length", "like",
    "likelihood", "likely", "lower", "ltrim", "max", "median", "min", "nth_value", "ntile", "nullif", "octet_length",
    "percent_rank", "percentile", "printf", "quote", "random", "rank", "replace", "round", "row_number", "rtrim",
    "sign", "soundex", "sqlite_version", "strftime", "string_agg", "substr", "substring", "sum", "time", "timediff",
    "total", "trim", "typeof", "unicode", "unixepoch", "unlikely", "upper",
    "ceil", "ceiling", "exp", "floor", "ln", "log", "mod", "pow", "sqrt",
];

/// Statements spill what they sort to files in `dir`, which have no names. All of this process.
///
/// # Errors
/// SQLite refuses the directory.
pub(crate) fn spill_into(dir: &Path) -> Result<()> {
    let connection = Connection::open_in_memory()?;
    connection.pragma_update(None, "temp_store_directory", dir.to_string_lossy())
}

/// The reason for which the authorizer has refused a statement.
#[derive(Debug, Clone, Default)]
pub(super) struct SqlRefusal(Arc<Mutex<Option<SqlError>>>);

impl SqlRefusal {
    pub(super) fn take(&self) -> Option<SqlError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The first reason wins.
    fn set(&self, error: SqlError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Opens an empty database in memory, within the limits. Statements are not refused yet.
///
/// # Errors
/// Those of SQLite.
pub(super) fn open() -> Result<Connection> {
    let connection = Connection::open_in_memory_with_flags(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, SQL_VALUE_BYTES_MAX),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_TEXT_BYTES_MAX),
        (Limit::SQLITE_LIMIT_COLUMN, SQL_COLUMNS_MAX),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, SQL_DEPTH_MAX),
        (Limit::SQLITE_LIMIT_PARSER_DEPTH, SQL_DEPTH_MAX),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, SQL_COMPOUND_MAX),
        (Limit::SQLITE_LIMIT_VDBE_OP, SQL_PROGRAM_MAX),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, SQL_ARGUMENTS_MAX),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, SQL_PATTERN_BYTES_MAX),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, SQL_PARAMETERS_MAX),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, i32::try_from(value).unwrap_or(i32::MAX))?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A name in double quotes is a column, and not a text if there is no such column.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // One for the whole process: it can be lowered only.
    connection.pragma_update(None, "hard_heap_limit", i64::try_from(SQL_MEMORY_BYTES_MAX).unwrap_or(i64::MAX))?;
    connection.pragma_update(None, "cache_size", -i64::try_from(SQL_CACHE_BYTES / 1024).unwrap_or(i64::MAX))?;
    connection.pragma_update(None, "temp_store", "FILE")?;
    Ok(connection)
}

/// Refuses from now on whatever is not on the lists.
///
/// # Errors
/// Those of SQLite.
pub(super) fn close_off(connection: &mut Connection, view: &SqlView, refusal: &SqlRefusal) -> Result<()> {
    let (sees_conflicts, refusal) = (view.conflicts, refusal.clone());
    connection.authorizer(Some(move |context: AuthContext<'_>| match refuse(&context.action, sees_conflicts) {
        None => Authorization::Allow,
        Some(error) => {
            refusal.set(error);
            Authorization::Deny
        }
    }))
}

/// Why an action is not allowed. `None` if it is.
fn refuse(action: &AuthAction<'_>, sees_conflicts: bool) -> Option<SqlError> {
    match action {
        AuthAction::Select | AuthAction::Recursive => None,
        AuthAction::Read { table_name, column_name } => {
            let is = |table: &&str| table.eq_ignore_ascii_case(table_name);
            // The name of a WITH clause comes without columns. Those of SQLite's own tables do, too,
            // but rows without columns tell nothing.
            let is_own = || column_name.is_empty() && !INTERNAL.iter().any(|prefix| table_name.starts_with(prefix));
            if !TABLES.iter().any(is) && !is_own() {
                let tables = TABLES.join(", ");
                return Some(SqlError::NotAllowed(format!(
                    "there is no table `{table_name}` here: tables are {tables}"
                )));
            }
            (is(&"conflicts") && !sees_conflicts).then_some(SqlError::Forbidden(CONFLICTS_TOPIC))
        }
        AuthAction::Function { function_name } => {
            let is_known = FUNCTIONS.iter().any(|function| function.eq_ignore_ascii_case(function_name));
            let reason =
                || format!("the function `{function_name}` is not allowed here: docs/API.md lists those that are");
            (!is_known).then(|| SqlError::NotAllowed(reason()))
        }
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name } => {
            let schema = ["sqlite_master", "sqlite_temp_master", "sqlite_schema", "sqlite_temp_schema"];
            let of = if schema.contains(table_name) { "the schema" } else { table_name };
            Some(SqlError::Writes(format!("this would change {of}")))
        }
        AuthAction::Pragma { pragma_name, .. } => Some(SqlError::Writes(format!("PRAGMA {pragma_name} is refused"))),
        AuthAction::Attach { .. } | AuthAction::Detach { .. } => {
            Some(SqlError::Writes("other databases are not opened".to_owned()))
        }
        AuthAction::Transaction { .. } | AuthAction::Savepoint { .. } => {
            Some(SqlError::Writes("there are no transactions".to_owned()))
        }
        _ => Some(SqlError::Writes("this would change something".to_owned())),
    }
}
