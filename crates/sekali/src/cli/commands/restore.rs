//! `sekali restore`: a data directory from a backup, checked before anybody relies on it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use sekali_server::consumers::ConsumersFile;
use sekali_store::disk::RealDisk;
use serde_json::json;

use crate::cli::commands::backup::{self, amount, bar, put_consumers};
use crate::cli::commands::verify::{self, check};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::Output;
use sekali_wire::escape::escape;

/// Arguments of `sekali restore`.
#[derive(Debug, Args)]
#[command(after_help = "Copies the backup, which stays as it is, and checks the copy as sekali verify does. Exit \
    code 8 means that something is wrong; each finding comes with advice, and the data \
    directory stays for you to look at.\n\n\
    This makes a new store. To bring the events of a backup into a store that has some of \
    them already, use sekali import: known events are duplicates, so the result is the \
    union.\n\n\
    Backups have no API keys: create them with sekali keys before you start the server.\n\n\
    Examples:\n  \
    sekali restore /mnt/backup/sekali-monday --data-dir /var/lib/sekali")]
pub(crate) struct RestoreArgs {
    /// The backup
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Directory of the data; must not exist, or be empty
    #[arg(long, env = "SEKALI_DATA_DIR", value_name = "DIR", default_value = "./sekali-data")]
    data_dir: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: RestoreArgs) -> Result<(), Failure> {
    let RestoreArgs { backup, data_dir, json } = args;
    let restoring = tokio::task::spawn_blocking(move || {
        let bar = bar();
        let consumers = ConsumersFile::new(Arc::new(RealDisk), &backup).bytes()?;
        let copied = sekali_store::restore(&RealDisk, &backup, &data_dir, |copied| bar.set_position(copied.bytes()));
        bar.finish_and_clear();
        let copied = copied?;
        put_consumers(&data_dir, consumers)?;
        let checked = check(&data_dir)?;
        Ok::<_, Failure>((copied, checked, data_dir))
    });
    let (copied, checked, data_dir) =
        restoring.await.map_err(|error| Failure::new(Exit::Failed, error.to_string()))??;
    let mut output = Output::stdout();
    if json {
        output.json(&json!({ "restored": backup::as_json(&copied), "verified": verify::as_json(&checked) }))?;
    } else {
        output.line(format_args!("restored {} to {}", amount(&copied), escape(&data_dir.display().to_string())))?;
        verify::lines(&checked).try_for_each(|line| output.line(line))?;
    }
    output.flush()?;
    backup::conclude(&copied).and(verify::conclude(&checked))
}
