//! `sekali verify`: reads a whole store and checks that everything agrees.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use sekali_store::{Error, Finding, Partition, StoreOptions, Verification};
use serde_json::json;

use crate::cli::args::data_dir::DataDirArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, note};
use crate::digits::grouped;
use sekali_server::ingest::CONTENT_RULES;
use sekali_wire::escape::escape;

/// Arguments of `sekali verify`.
#[derive(Debug, Args)]
#[command(after_help = "Reads everything that is stored, verifies all checksums, and checks that each event is \
    in the dedup index once, that nothing else is, and that the counters add up. A store \
    that a server uses, or that belongs to another user, is checked as it is at this \
    moment, and is not changed. Exit code 8 means that something is wrong; each kind of \
    finding comes with advice.\n\n\
    Examples:\n  \
    sekali verify --data-dir /var/lib/sekali\n  \
    sekali verify --rebuild-index")]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    store: DataDirArg,
    /// Rebuild the dedup index from the events, then check
    #[arg(long)]
    rebuild_index: bool,
    /// Accept lost events: they were published again, or nobody has them any more
    #[arg(long)]
    accept_lost: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: VerifyArgs) -> Result<(), Failure> {
    let VerifyArgs { store: DataDirArg { data_dir }, rebuild_index, accept_lost, json } = args;
    let checked = tokio::task::spawn_blocking(move || {
        if rebuild_index {
            forget_index(&data_dir)?;
        }
        if accept_lost {
            accept_damage(&data_dir)?;
        }
        check(&data_dir)
    });
    let partitions = checked.await.map_err(|error| Failure::new(Exit::Failed, error.to_string()))??;
    let mut output = Output::stdout();
    if json {
        output.json(&as_json(&partitions))?;
    } else {
        lines(&partitions).try_for_each(|line| output.line(line))?;
    }
    output.flush()?;
    conclude(&partitions)
}

/// Accepted losses of a partition that are named; more are counted.
const ACCEPTED_NAMED_MAX: usize = 100;

/// Findings of the check of one partition.
pub(super) struct Checked {
    number: usize,
    /// Why its index was rebuilt, if it was found damaged.
    rebuilt: Option<String>,
    /// Sentences on lost events that can be read again.
    returned: Vec<String>,
    /// Bytes at the end of the log that were cut off when it was opened: a commit that never
    /// finished.
    torn_bytes: u64,
    found: Verification,
}

fn forget_index(data_dir: &Path) -> Result<(), Failure> {
    for mut partition in open(data_dir, false)? {
        partition.forget_index()?;
    }
    note("rebuilding the index from the events");
    Ok(())
}

/// Losses are found first, and then accepted.
fn accept_damage(data_dir: &Path) -> Result<(), Failure> {
    for mut partition in open(data_dir, true)? {
        let found = partition.verify(|_| {})?;
        let places = partition.accept_damage(&found)?;
        for damage in found.damage.iter().take(ACCEPTED_NAMED_MAX) {
            note(format!("accepted: {}", escape(&damage.to_string())));
        }
        note(format!("damaged places accepted: {}", grouped(places as u64)));
        partition.close()?;
    }
    Ok(())
}

/// Opens a store, which may be in use, and checks all of it.
pub(super) fn check(data_dir: &Path) -> Result<Vec<Checked>, Failure> {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    if let Some(owner) = other_owner(data_dir) {
        note(format_args!("the store belongs to user {owner}: checking it as it is, without a change to it"));
        return check_frozen(data_dir);
    }
    match options().open(data_dir) {
        Err(Error::Locked(_)) => {
            note("the store is in use: checking it as it is at this moment");
            check_frozen(data_dir)
        }
        Err(Error::Io { source, .. }) if matches!(source.kind(), ReadOnlyFilesystem | PermissionDenied) => {
            note(format_args!("{source}: checking the store as it is, without a change to it"));
            check_frozen(data_dir)
        }
        store => check_all(store?.into_partitions()),
    }
}

/// Checks a store without writing to it.
fn check_frozen(data_dir: &Path) -> Result<Vec<Checked>, Failure> {
    let store = options().open_frozen(data_dir)?;
    let checked = check_all(store.into_partitions())?;
    // Its last commit may be half written by now. That is no finding.
    Ok(checked.into_iter().map(|checked| Checked { torn_bytes: 0, ..checked }).collect())
}

/// The user that a store belongs to, where that is not the user of this process: files that this
/// process would make could not be opened by the server.
fn other_owner(data_dir: &Path) -> Option<u32> {
    let owner = fs::symlink_metadata(data_dir.join("store.toml")).ok()?.uid();
    (owner != rustix::process::geteuid().as_raw()).then_some(owner)
}

fn check_all(partitions: Vec<Partition>) -> Result<Vec<Checked>, Failure> {
    let events = partitions.iter().map(|partition| partition.reader().last_seq()).sum();
    let bar = bar(events);
    let mut before = 0;
    let mut checked = Vec::with_capacity(partitions.len());
    for (number, mut partition) in partitions.into_iter().enumerate() {
        let found = partition.verify(|events| bar.set_position(before + events))?;
        before += found.events;
        let rebuilt = partition.rebuilt_index().map(str::to_owned);
        let returned = partition.returned().to_vec();
        let torn_bytes = partition.torn_tail().map_or(0, |torn| torn.bytes);
        checked.push(Checked { number, rebuilt, returned, torn_bytes, found });
        partition.close()?;
    }
    bar.finish_and_clear();
    Ok(checked)
}

/// The findings, for people.
pub(super) fn lines(partitions: &[Checked]) -> impl Iterator<Item = String> {
    let advice = advice(partitions);
    let heading = (!advice.is_empty()).then(|| "what to do about it:".to_owned());
    let advice = advice.into_iter().map(|advice| format!("  - {advice}"));
    let findings = partitions.iter().flat_map(Checked::lines).map(|line| escape(&line).into_owned());
    findings.chain(heading).chain(advice)
}

/// The remedies, once for each kind of finding.
fn advice(partitions: &[Checked]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for advice in partitions.iter().flat_map(|checked| checked.found.findings.iter().map(Finding::advice)) {
        if !all.contains(&advice) {
            all.push(advice);
        }
    }
    all
}

/// The exit code that follows from the findings.
pub(super) fn conclude(partitions: &[Checked]) -> Result<(), Failure> {
    if partitions.iter().all(Checked::is_sound) { Ok(()) } else { Err(Failure::quiet(Exit::Damaged)) }
}

fn options() -> StoreOptions {
    StoreOptions::new().rules(CONTENT_RULES)
}

/// Opens a store to change it.
fn open(data_dir: &Path, accepts_absence: bool) -> Result<Vec<Partition>, Failure> {
    if let Some(owner) = other_owner(data_dir) {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "the store in {} belongs to user {owner}, who could not open what another user writes to it; nothing was \
                 changed; run this as that user: sudo -u '#{owner}' sekali verify …",
                data_dir.display()
            ),
        ));
    }
    let store = options().accept_absence(accepts_absence).open(data_dir)?;
    Ok(store.into_partitions())
}

/// On standard error, and only for people.
fn bar(events: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} events, {per_sec}, {eta} to go");
    ProgressBar::new(events).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

impl Checked {
    fn is_sound(&self) -> bool {
        self.found.findings.is_empty()
    }

    fn lines(&self) -> Vec<String> {
        let events = grouped(self.found.events);
        let verdict = if self.is_sound() { "sound" } else { "NOT SOUND" };
        let mut lines = vec![format!("partition {}: {events} events, {verdict}", self.number)];
        lines.extend(self.rebuilt.iter().map(|why| format!("  the index was rebuilt: {why}")));
        lines.extend(self.returned.iter().map(|what| format!("  {what}")));
        if self.torn_bytes > 0 {
            let bytes = grouped(self.torn_bytes);
            lines.push(format!("  {bytes} bytes of a commit that never finished were cut off, and are kept in torn/"));
        }
        lines.extend(self.found.findings.iter().map(|finding| format!("  {finding}")));
        if self.found.unnamed > 0 {
            lines.push(format!("  and {} more", grouped(self.found.unnamed)));
        }
        lines
    }
}

/// The findings, for scripts.
pub(super) fn as_json(partitions: &[Checked]) -> serde_json::Value {
    let partition = |checked: &Checked| {
        json!({
            "partition": checked.number,
            "events": checked.found.events,
            "sound": checked.is_sound(),
            "index_rebuilt": checked.rebuilt,
            "returned": checked.returned,
            "torn_bytes": checked.torn_bytes,
            "findings": checked.found.findings.iter().map(Finding::to_string).collect::<Vec<_>>(),
            "findings_unnamed": checked.found.unnamed,
        })
    };
    json!({
        "sound": partitions.iter().all(Checked::is_sound),
        "advice": advice(partitions),
        "partitions": partitions.iter().map(partition).collect::<Vec<_>>(),
    })
}
