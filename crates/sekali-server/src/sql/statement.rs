//! Runs one statement.

use std::sync::{Arc, Weak};
use std::time::Duration;

use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::{Batch, Connection, ErrorCode, Statement};
use sekali_store::{CONFLICTS_TOPIC, Reader};

use super::answer::{AnswerBuilder, SqlEnd};
use super::events_table::EventsTable;
use super::fence::SqlRefusal;
use super::moment::Moment;
use super::topics_table::TopicsTable;
use super::watch::{FreeSpace, Watch};
use super::{SqlAnswer, SqlError, SqlFormat, SqlView, StatementPlace, collation, fence, functions};
use crate::limits::SQL_TEXT_BYTES_MAX;

/// Instructions of SQLite's machine between looks at the clock: some 5 µs. Calls of functions with
/// large texts take milliseconds each.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 256;

/// A value for a `?` of a statement.
pub type SqlParameter = rusqlite::types::Value;

/// A statement and how it is to be answered.
#[derive(Debug, Clone)]
pub struct SqlStatement {
    /// Its text.
    pub text: String,
    /// The values of its parameters, in their order.
    pub parameters: Vec<SqlParameter>,
    /// The layout of the answer.
    pub format: SqlFormat,
    /// The longest time that it may take.
    pub within: Duration,
}

/// Runs a statement on the present moment of a store, for a client with this view. Blocks, and ends
/// once `client` is empty.
///
/// # Errors
/// See [`SqlError`].
pub fn run(
    readers: &[Reader],
    view: &SqlView,
    statement: &SqlStatement,
    client: Option<Weak<()>>,
) -> Result<SqlAnswer, SqlError> {
    if statement.text.len() > SQL_TEXT_BYTES_MAX {
        return Err(SqlError::invalid(format!("the statement is longer than {SQL_TEXT_BYTES_MAX} bytes")));
    }
    if statement.text.contains('\0') {
        return Err(SqlError::invalid("the statement contains the character U+0000"));
    }
    let reader = readers.first().cloned();
    let free: FreeSpace = Box::new(move || reader.as_ref().and_then(|reader| reader.free_bytes().ok()));
    let watch = Arc::new(Watch::new(client, statement.within, free));
    let refusal = SqlRefusal::default();
    let connection = connect(readers, view, &watch, &refusal).map_err(|error| explain(error, &watch, &refusal))?;
    answer(&connection, statement, &watch, &refusal)
}

fn connect(
    readers: &[Reader],
    view: &SqlView,
    watch: &Arc<Watch>,
    refusal: &SqlRefusal,
) -> rusqlite::Result<Connection> {
    let mut connection = fence::open()?;
    collation::register(&connection)?;
    functions::register(&connection)?;
    let moment = Arc::new(Moment::now(readers));
    let events = |reserved| {
        let (moment, watch) = (Arc::clone(&moment), Arc::clone(watch));
        Arc::new(EventsTable { moment, view: view.clone(), reserved, watch })
    };
    sekali_vtab::register(&connection, "events", events(None))?;
    sekali_vtab::register(&connection, "conflicts", events(Some(CONFLICTS_TOPIC)))?;
    let topics = TopicsTable { moment: Arc::clone(&moment), view: view.clone(), watch: Arc::clone(watch) };
    sekali_vtab::register(&connection, "topics", Arc::new(topics))?;
    fence::close_off(&mut connection, view, refusal)?;
    let watch = Arc::clone(watch);
    connection.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(move || watch.is_over()))?;
    Ok(connection)
}

fn answer(
    connection: &Connection,
    wanted: &SqlStatement,
    watch: &Watch,
    refusal: &SqlRefusal,
) -> Result<SqlAnswer, SqlError> {
    let explain = |error| explain(error, watch, refusal);
    let mut statement = prepare(connection, &wanted.text, &explain)?;
    bind(&mut statement, &wanted.parameters, &explain)?;
    let columns = statement.column_names().map(str::to_owned).collect();
    let mut answer = AnswerBuilder::new(wanted.format, columns);
    let mut rows = statement.raw_query();
    let end = loop {
        match rows.next() {
            Ok(None) => break SqlEnd::All,
            Ok(Some(row)) => match answer.is_full() {
                Some(end) => break end,
                None => answer.push(row).map_err(explain)?,
            },
            Err(error) => match explain(error) {
                SqlError::Timeout { .. } if answer.rows() > 0 && wanted.format == SqlFormat::Json => {
                    break SqlEnd::Time;
                }
                error => return Err(error),
            },
        }
    };
    if end != SqlEnd::All && wanted.format != SqlFormat::Json {
        return Err(SqlError::AnswerTooLarge);
    }
    Ok(answer.finish(end, watch.events(), watch.elapsed()))
}

/// Reads the text, which must be one statement.
fn prepare<'c>(
    connection: &'c Connection,
    text: &str,
    explain: &impl Fn(rusqlite::Error) -> SqlError,
) -> Result<Statement<'c>, SqlError> {
    let mut batch = Batch::new(connection, text);
    let statement = batch.next().map_err(explain)?.ok_or_else(|| SqlError::invalid("there is no statement"))?;
    match batch.next() {
        Ok(None) => {}
        Ok(Some(_)) | Err(_) => {
            return Err(SqlError::invalid("there is more than one statement: send them one by one"));
        }
    }
    if statement.column_count() == 0 || !statement.readonly() {
        return Err(SqlError::Writes("the statement has no rows".to_owned()));
    }
    Ok(statement)
}

fn bind(
    statement: &mut Statement<'_>,
    parameters: &[SqlParameter],
    explain: &impl Fn(rusqlite::Error) -> SqlError,
) -> Result<(), SqlError> {
    let (wanted, given) = (statement.parameter_count(), parameters.len());
    if wanted != given {
        return Err(SqlError::invalid(format!("the statement has {wanted} parameters, and {given} values are given")));
    }
    for (number, parameter) in (1..).zip(parameters) {
        statement.raw_bind_parameter(number, parameter).map_err(explain)?;
    }
    Ok(())
}

/// Words an error: the reason for which the statement was ended or refused comes before what SQLite
/// makes of it.
fn explain(error: rusqlite::Error, watch: &Watch, refusal: &SqlRefusal) -> SqlError {
    if let Some(reason) = watch.take_end().or_else(|| refusal.take()) {
        return reason;
    }
    let code = match &error {
        rusqlite::Error::SqlInputError { error, .. } => Some(error.code),
        error => error.sqlite_error_code(),
    };
    match code {
        Some(ErrorCode::OutOfMemory) => return SqlError::TooMuchMemory,
        Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => return SqlError::TooMuchDisk,
        Some(ErrorCode::TooBig) if !matches!(error, rusqlite::Error::SqlInputError { .. }) => {
            return SqlError::ValueTooLarge;
        }
        _ => {}
    }
    match error {
        // Nothing asks the authorizer first.
        rusqlite::Error::SqlInputError { msg: reason, .. } | rusqlite::Error::SqliteFailure(_, Some(reason))
            if reason.ends_with("may not be modified") =>
        {
            SqlError::Writes(reason)
        }
        rusqlite::Error::SqlInputError { msg, offset, sql, .. } => {
            SqlError::Invalid { reason: msg, place: StatementPlace::of(&sql, offset) }
        }
        rusqlite::Error::SqliteFailure(_, Some(reason)) => SqlError::invalid(reason),
        error => SqlError::invalid(error.to_string()),
    }
}
