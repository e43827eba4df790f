//! The thread that writes, beside the task that receives.

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::part_file::{PartFile, TextFile};
use super::{Destination, ExportError, OutputFormat, WriteEvents, csv, ndjson, parquet, sqlite};

/// Pieces that may wait to be written. Each is what came in at once, some tens of kilobytes.
const PIECES_MAX: usize = 16;

/// Writes what it is given on a thread of its own. Dropped before it is finished, it leaves no
/// file.
pub struct Exporter {
    pieces: mpsc::Sender<Piece>,
    thread: JoinHandle<Result<Written, ExportError>>,
}

/// The result of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// How many events.
    pub events: u64,
}

enum Piece {
    Text(Bytes),
    End,
}

impl Exporter {
    /// Begins the file. Must be called in a runtime.
    pub fn start(destination: &Destination, format: OutputFormat) -> Result<Self, ExportError> {
        let file = create(destination, format)?;
        let (pieces, received) = mpsc::channel(PIECES_MAX);
        let thread = tokio::task::spawn_blocking(|| write_all(file, received));
        Ok(Self { pieces, thread })
    }

    /// Hands on what the server sent; lines may be cut anywhere. `false` means that writing has
    /// failed, and that [`finish`](Self::finish) says why.
    pub async fn push(&self, text: Bytes) -> bool {
        self.pieces.send(Piece::Text(text)).await.is_ok()
    }

    /// Completes the file, after everything was handed on.
    pub async fn finish(self) -> Result<Written, ExportError> {
        let _ = self.pieces.send(Piece::End).await;
        drop(self.pieces);
        self.thread.await.unwrap_or(Err(ExportError::Incomplete))
    }

    /// Gives up: waits until nothing is left of the file.
    pub async fn abandon(self) {
        drop(self.pieces);
        let _ = self.thread.await;
    }
}

fn create(destination: &Destination, format: OutputFormat) -> Result<Box<dyn WriteEvents + Send>, ExportError> {
    let part = || match destination {
        Destination::File(path) => PartFile::create(path),
        Destination::Stdout => Err(ExportError::Stdout(std::io::Error::other("this format needs a file"))),
    };
    Ok(match format {
        OutputFormat::Ndjson => Box::new(ndjson::NdjsonWriter::new(TextFile::create(destination)?)),
        OutputFormat::Csv => Box::new(csv::CsvWriter::new(TextFile::create(destination)?)?),
        OutputFormat::Sqlite => Box::new(sqlite::SqliteWriter::create(part()?)?),
        OutputFormat::Parquet => Box::new(parquet::Groups::create(part()?)?),
    })
}

fn write_all(mut file: Box<dyn WriteEvents + Send>, mut pieces: mpsc::Receiver<Piece>) -> Result<Written, ExportError> {
    let mut written = Written::default();
    // The beginning of a line whose end has not come.
    let mut begun: Vec<u8> = Vec::new();
    while let Some(piece) = pieces.blocking_recv() {
        let Piece::Text(text) = piece else {
            if !begun.is_empty() {
                return Err(ExportError::NotAnEvent("its last line has no end".to_owned()));
            }
            return file.finish().map(|()| written);
        };
        let Some(end) = text.iter().rposition(|&byte| byte == b'\n') else {
            begun.extend_from_slice(&text);
            continue;
        };
        let mut lines = &text[..=end];
        if let Some(first_end) = lines.iter().position(|&byte| byte == b'\n').filter(|_| !begun.is_empty()) {
            begun.extend_from_slice(&lines[..=first_end]);
            file.write(&begun)?;
            written.events += 1;
            lines = &lines[first_end + 1..];
        }
        file.write(lines)?;
        written.events += count_lines(lines);
        begun.clear();
        begun.extend_from_slice(&text[end + 1..]);
    }
    Err(ExportError::Incomplete)
}

/// How many events end in a piece.
pub(super) fn count_lines(text: &[u8]) -> u64 {
    text.iter().filter(|&&byte| byte == b'\n').count() as u64
}
