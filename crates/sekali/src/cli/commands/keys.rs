//! `sekali keys`: who may do what, on a data directory whose server may be running.

mod create;
mod table;

use clap::{Args, Subcommand};
use serde::Serialize;

use self::create::CreateArgs;
use crate::cli::args::data_dir::DataDirArg;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, note};
use sekali_server::access::{Key, KeyFile, State};
use sekali_server::clock::now_ns;
use sekali_wire::secret::KeyId;
use sekali_wire::timestamp::Timestamp;

/// Arguments of `sekali keys`.
#[derive(Debug, Args)]
#[command(after_help = "Without keys, every client that reaches the server may do everything. From the first one \
    on, every request needs a key. The file keys.toml in the data directory holds their \
    hashes: a lost key can be revoked, and not recovered. A running server notices changes \
    within 2 s. Backups have no keys.\n\n\
    Examples:\n  \
    sekali keys create --scope publish --topics 'web.*' --expires 90d > web.key\n  \
    sekali keys create --scope read,publish --json\n  \
    sekali keys list\n  \
    sekali keys revoke 5f0c91d2")]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create a key, and show it this once
    Create(CreateArgs),
    /// List the keys, without their secrets
    List(ListArgs),
    /// Revoke a key
    Revoke(RevokeArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    store: DataDirArg,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RevokeArgs {
    /// Id of the key, as in the list
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    store: DataDirArg,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: KeysArgs) -> Result<(), Failure> {
    // Files of a few kilobytes: nothing else is going on that could be held up.
    match args.command {
        Command::Create(args) => create::run(args),
        Command::List(args) => list(&args),
        Command::Revoke(args) => revoke(&args),
    }
}

fn list(args: &ListArgs) -> Result<(), Failure> {
    let dir = args.store.data_dir.display();
    if !args.store.data_dir.is_dir() {
        let message = format!("there is no directory {dir}: name that of the server with --data-dir");
        return Err(Failure::new(Exit::Usage, message));
    }
    let file = KeyFile::of(&args.store.data_dir);
    let keys = file.read()?.unwrap_or_default();
    if let Some(exposure) = file.exposure() {
        note(format_args!("warning: {exposure}"));
    }
    let now = now();
    let shown: Vec<_> = keys.iter().map(|key| Shown::of(key, now)).collect();
    let mut output = Output::stdout();
    if args.json {
        output.json(&shown)?;
    } else if shown.is_empty() && !has_store(&args.store) {
        note(format_args!("there are neither keys nor a store in {dir}: is it the directory of your server?"));
    } else if shown.is_empty() {
        note("there are no keys: everybody who reaches the server may do everything");
    } else {
        let paint = output.paint();
        table::lines(&shown, output.columns(), paint).iter().try_for_each(|line| output.line(line))?;
    }
    output.flush()
}

/// Whether a server has used the directory.
fn has_store(store: &DataDirArg) -> bool {
    store.data_dir.join("store.toml").exists()
}

fn revoke(args: &RevokeArgs) -> Result<(), Failure> {
    // What is no id may be a whole key, and is not repeated.
    let id: KeyId = args.id.parse().map_err(|wrong| Failure::new(Exit::Usage, wrong))?;
    let key = KeyFile::of(&args.store.data_dir).change(|keys| keys.revoke(&id, now()))?;
    let mut output = Output::stdout();
    if args.json {
        output.json(&Shown::of(&key, now()))?;
    } else {
        output.line(format_args!("revoked {id}; a running server notices within 2 s"))?;
    }
    output.flush()
}

/// The public facts of a key.
#[derive(Debug, Serialize)]
struct Shown {
    id: KeyId,
    name: String,
    scopes: Vec<&'static str>,
    topics: Vec<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
    revoked: Option<Timestamp>,
    state: State,
}

impl Shown {
    fn of(key: &Key, now: Timestamp) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            scopes: key.scopes.iter().map(|scope| scope.as_str()).collect(),
            topics: key.topics.patterns().map(str::to_owned).collect(),
            created: key.created,
            expires: key.expires,
            revoked: key.revoked,
            state: key.state(now),
        }
    }
}

fn now() -> Timestamp {
    Timestamp(now_ns())
}
