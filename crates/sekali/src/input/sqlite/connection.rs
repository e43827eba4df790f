//! Opening a database without changing it, wherever it lies.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::ffi;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags};

/// The characters of a path that a URI may have as they are.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

/// Nothing that a stranger's schema names is run while it is read, and cells that lie outside of
/// their page are damage.
const PRAGMAS: &str = "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON";

/// Opens a database for reading.
///
/// # Errors
/// Why it cannot be read, and what can be done.
pub(super) fn open(path: &Path) -> Result<Connection, String> {
    match connect(path, false) {
        // SQLite wants to make files beside a database in WAL mode, even to read it.
        Err(error) if needs_to_write(&error) && holds_everything(path) => connect(path, true),
        result => result,
    }
    .map_err(|error| reason(path, &error))
}

/// The meaning of an error, and the remedy.
pub(super) fn reason(path: &Path, error: &Error) -> String {
    let beside = |suffix| beside(path, suffix).display().to_string();
    match error.sqlite_error_code() {
        _ if extended_code(error) == Some(ffi::SQLITE_READONLY_ROLLBACK) => format!(
            "a transaction was cut off, and {} has what it changed: open the database once with write access, as with \
             sqlite3 {} .tables, and import it then",
            beside("-journal"),
            path.display()
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) if !holds_everything(path) => format!(
            "its last changes are in {}, which SQLite reads only where it may write: copy both files to a directory \
             that you may write to",
            beside("-wal")
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program has it locked: stop that, or import a copy".to_owned()
        }
        Some(ErrorCode::NotADatabase) => "it is no SQLite database, or it is encrypted".to_owned(),
        _ => error.to_string(),
    }
}

/// Whether an error says that the file itself is not as it should be, or that the device does not
/// give it back.
pub(super) fn is_damage(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::SystemIoFailure))
}

fn connect(path: &Path, immutable: bool) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = if immutable {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let encoded = percent_encode(absolute.as_os_str().as_encoded_bytes(), PATH);
        Connection::open_with_flags(format!("file://{encoded}?immutable=1"), flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    database.execute_batch(PRAGMAS)?;
    // Only now the file is looked at.
    database.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(database)
}

fn needs_to_write(error: &Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
        && extended_code(error) != Some(ffi::SQLITE_READONLY_ROLLBACK)
}

/// Whether nothing of the database is in a file beside it.
fn holds_everything(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).map_or(true, |wal| wal.len() == 0)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn extended_code(error: &Error) -> Option<i32> {
    error.sqlite_error().map(|error| error.extended_code)
}
