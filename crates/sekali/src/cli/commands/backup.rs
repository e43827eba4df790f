//! `sekali backup`: a consistent copy of a store that may be in use.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use sekali_server::consumers::ConsumersFile;
use sekali_store::Copied;
use sekali_store::disk::RealDisk;
use serde_json::{Value, json};

use crate::cli::args::data_dir::DataDirArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, note};
use crate::digits::grouped;
use sekali_wire::escape::escape;

/// Arguments of `sekali backup`.
#[derive(Debug, Args)]
#[command(after_help = "The server may keep running: nothing waits for a backup, and every event that was \
    acknowledged before it began is in it. The copy is a data directory; sekali restore \
    checks it and puts it in place.\n\n\
    Files that never change again are hard-linked if DEST is on the same file system. That \
    takes no time and no space, and does not guard against a failing disk: name another \
    disk, or copy DEST there. The copy holds the store's secret (store.toml, mode 0600): \
    keep it as safe as the store.\n\n\
    An unfinished backup has no store.toml, and is not accepted as one. Exit code 8 means \
    that the store lacks files that it should have; they are named, and the backup has the \
    rest.\n\n\
    Examples:\n  \
    sekali backup --data-dir /var/lib/sekali /mnt/backup/sekali-monday")]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    store: DataDirArg,
    /// Directory of the copy; must not exist, or be empty
    #[arg(value_name = "DEST")]
    dest: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: BackupArgs) -> Result<(), Failure> {
    let BackupArgs { store: DataDirArg { data_dir }, dest, json } = args;
    let copying = tokio::task::spawn_blocking(move || {
        let bar = bar();
        // First: an event that was acknowledged must be in the copy.
        let consumers = ConsumersFile::new(Arc::new(RealDisk), &data_dir).bytes()?;
        let copied = sekali_store::backup(&RealDisk, &data_dir, &dest, |copied| bar.set_position(copied.bytes()));
        bar.finish_and_clear();
        let copied = copied?;
        put_consumers(&dest, consumers)?;
        Ok::<_, Failure>((copied, dest))
    });
    let (copied, dest) = copying.await.map_err(|error| Failure::new(Exit::Failed, error.to_string()))??;
    let mut output = Output::stdout();
    if json {
        output.json(&as_json(&copied))?;
    } else {
        output.line(format_args!("backed up {} to {}", amount(&copied), escape(&dest.display().to_string())))?;
    }
    output.flush()?;
    conclude(&copied)
}

/// Adds the consumers of a store to its copy.
pub(super) fn put_consumers(dest: &Path, consumers: Option<Vec<u8>>) -> Result<(), Failure> {
    let file = ConsumersFile::new(Arc::new(RealDisk), dest);
    consumers.map_or(Ok(()), |bytes| Ok(file.put(&bytes)?))
}

/// How much was copied, for people.
pub(super) fn amount(copied: &Copied) -> String {
    let all = format!("{} files, {}", grouped(copied.files), HumanBytes(copied.bytes()));
    if copied.linked_bytes == 0 {
        return all;
    }
    format!("{all} ({} linked, {} copied)", HumanBytes(copied.linked_bytes), HumanBytes(copied.copied_bytes))
}

/// How much was copied, for scripts.
pub(super) fn as_json(copied: &Copied) -> Value {
    json!({
        "files": copied.files,
        "linked_bytes": copied.linked_bytes,
        "copied_bytes": copied.copied_bytes,
        "missing": named(&copied.missing),
        "unreadable": named(&copied.unreadable),
    })
}

fn named(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// Names what the source lacks, or cannot read.
pub(super) fn conclude(copied: &Copied) -> Result<(), Failure> {
    for path in &copied.missing {
        note(format_args!("sekali: {} is missing from the store; all else was copied", path.display()));
    }
    for path in &copied.unreadable {
        note(format_args!(
            "sekali: {} could not be read in part; the copy names what is lost when it is opened or verified",
            path.display()
        ));
    }
    if copied.missing.is_empty() && copied.unreadable.is_empty() { Ok(()) } else { Err(Failure::quiet(Exit::Damaged)) }
}

/// On standard error, and only for people.
pub(super) fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {binary_bytes}, {binary_bytes_per_sec}");
    ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}
