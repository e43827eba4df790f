//! Opening files, and telling how much of them has been read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::progress::ReadProgress;
use super::{InputError, InputFormat, Options, ReadEvents, parquet, reader, sqlite};

/// Bytes that tell SQLite and Parquet.
const MAGIC_BYTES_MAX: u64 = 16;

/// Something that events are read from.
pub(super) struct Source {
    /// The file, or `stdin`.
    pub(super) name: String,
    /// Its events.
    pub(super) events: Box<dyn ReadEvents>,
    /// How much was read, for the progress bar.
    pub(super) bytes_read: Arc<AtomicU64>,
}

impl Source {
    /// Opens a file, or standard input for `-`.
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, InputError> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        if path.as_os_str() == "-" {
            let input = Counted { input: io::stdin(), bytes_read: Arc::clone(&bytes_read) };
            let events = reader(input, "stdin", options)?;
            return Ok(Self { name: "stdin".to_owned(), events, bytes_read });
        }
        let name = path.display().to_string();
        let io_error = |source| InputError::Io { name: name.clone(), source };
        let metadata = std::fs::metadata(path).map_err(io_error)?;
        if metadata.is_dir() {
            let reason = "it is a directory: name the files in it".to_owned();
            return Err(InputError::Unusable { name, reason });
        }
        let file = File::open(path).map_err(io_error)?;
        // What is not a regular file can be read only once, from beginning to end.
        let binary = match options.format.or_else(|| InputFormat::of_name(&name)) {
            _ if !metadata.is_file() || options.shape.is_some() => None,
            Some(InputFormat::Sqlite | InputFormat::Parquet) if is_packed(path).map_err(io_error)? => None,
            Some(format) => Some(format),
            None => InputFormat::sniff(&magic(path).map_err(io_error)?),
        };
        let progress = |bytes| ReadProgress::new(bytes, &bytes_read);
        let events: Box<dyn ReadEvents> = match binary {
            Some(InputFormat::Sqlite) => {
                Box::new(sqlite::SqliteRows::open(path, &name, options.table.as_deref(), progress(metadata.len()))?)
            }
            Some(InputFormat::Parquet) => Box::new(parquet::ParquetRows::open(file, &name, progress(0))?),
            _ => reader(Counted { input: file, bytes_read: Arc::clone(&bytes_read) }, &name, options)?,
        };
        Ok(Self { name, events, bytes_read })
    }
}

/// Whether a file is compressed as a whole, which databases and Parquet files are not.
fn is_packed(path: &Path) -> io::Result<bool> {
    magic(path).map(|beginning| super::packed::is_packed(&beginning))
}

/// The first bytes of a file.
fn magic(path: &Path) -> io::Result<Vec<u8>> {
    let mut beginning = Vec::new();
    File::open(path)?.take(MAGIC_BYTES_MAX).read_to_end(&mut beginning)?;
    Ok(beginning)
}

/// Counts what is read.
struct Counted<R> {
    input: R,
    bytes_read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bytes_read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
