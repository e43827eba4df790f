//! `sekali keys create`

use clap::Args;
use sekali_store::limits::TOPIC_BYTES_MAX;
use serde::Serialize;

use super::{Shown, has_store, now};
use crate::cli::args::data_dir::DataDirArg;
use crate::cli::args::units::time_ns;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::term::output::{Output, note};
use sekali_server::access::{KeyFile, NewKey, Scope, Topics};
use sekali_server::clock::now_ns;
use sekali_server::limits::{KEY_NAME_BYTES_MAX, KEY_TOPICS_MAX};
use sekali_wire::timestamp::Timestamp;

/// A scope, as the command line words it.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ScopeArg {
    /// Publish events of its topics
    Publish,
    /// Read, count and list events of its topics
    Read,
    /// Everything, of all topics, reserved ones included
    Admin,
}

impl From<ScopeArg> for Scope {
    fn from(scope: ScopeArg) -> Self {
        match scope {
            ScopeArg::Publish => Self::Publish,
            ScopeArg::Read => Self::Read,
            ScopeArg::Admin => Self::Admin,
        }
    }
}

/// Arguments of `sekali keys create`.
#[derive(Debug, Args)]
#[command(after_help = "The key goes to standard output, alone on its line, and everything else to standard \
    error. It is shown this once and kept nowhere. Clients send it as Authorization: Bearer \
    KEY; sekali's own commands read it from SEKALI_KEY or --key-file.")]
pub(super) struct CreateArgs {
    /// Scope of the key: to publish, to read (which includes counting and listing), or
    /// everything (admin); repeat it, or separate several with commas
    #[arg(long = "scope", value_name = "SCOPE", value_enum, required = true, value_delimiter = ',')]
    scopes: Vec<ScopeArg>,
    /// Topics of the key, where * stands for any characters; topics that begin with $ must be named.
    /// Repeat it, or separate several with commas
    #[arg(long, value_name = "PATTERN", default_value = "*", value_delimiter = ',', value_parser = pattern)]
    topics: Vec<String>,
    /// Note about its holder and purpose
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true, value_parser = name)]
    name: String,
    /// When the key expires: after a time like 90d (s, m, h, d, w), or at one like
    /// 2027-01-01T00:00:00Z [default: never]
    #[arg(long, value_name = "TIME", value_parser = expiry)]
    expires: Option<Timestamp>,
    /// Print the key and its rights as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    store: DataDirArg,
}

/// A key, and its only appearance.
#[derive(Serialize)]
struct Created<'a> {
    key: &'a str,
    #[serde(flatten)]
    about: Shown,
}

pub(super) fn run(args: CreateArgs) -> Result<(), Failure> {
    let CreateArgs { store, scopes, topics, name, expires, json } = args;
    let mut scopes: Vec<_> = scopes.into_iter().map(Scope::from).collect();
    let topics = Topics::from(topics);
    check(&scopes, &topics)?;
    scopes.dedup();
    let now = now();
    let new = NewKey { name, scopes, topics, expires };
    let (secret, key) = KeyFile::of(&store.data_dir).change(|keys| keys.create(new, now))?;
    let about = Shown::of(&key, now);
    let mut output = Output::stdout();
    if json {
        output.json(&Created { key: secret.expose(), about })?;
        return output.flush();
    }
    output.line(secret.expose())?;
    output.flush()?;
    let until = key.expires.map_or("for ever".to_owned(), |expires| format!("until {expires}"));
    let (scopes, topics) = (about.scopes.join(", "), about.topics.join(", "));
    note(format_args!("key {} for {scopes} on topics {topics}, {until}; it is not shown again", key.id));
    if !has_store(&store) {
        let dir = store.data_dir.display();
        note(format_args!(
            "there is no store in {dir} yet: is it the directory of your server (serve --data-dir {dir})?"
        ));
    }
    Ok(())
}

fn check(scopes: &[Scope], topics: &Topics) -> Result<(), Failure> {
    let count = topics.patterns().count();
    if count > KEY_TOPICS_MAX {
        let message = format!("{count} topic patterns are too many for one key: at most {KEY_TOPICS_MAX} are allowed");
        return Err(Failure::new(Exit::Usage, message));
    }
    if scopes.contains(&Scope::Admin) && *topics != Topics::all() {
        return Err(Failure::new(Exit::Usage, "a key with the scope admin is for all topics: leave --topics out"));
    }
    Ok(())
}

fn pattern(text: &str) -> Result<String, String> {
    plain_text(text, TOPIC_BYTES_MAX)
}

fn name(text: &str) -> Result<String, String> {
    if text.is_empty() { Ok(String::new()) } else { plain_text(text, KEY_NAME_BYTES_MAX) }
}

fn plain_text(text: &str, bytes_max: usize) -> Result<String, String> {
    if text.is_empty() || text.len() > bytes_max || text.chars().any(char::is_control) {
        return Err(format!("must have 1 to {bytes_max} bytes and no control characters"));
    }
    Ok(text.to_owned())
}

fn expiry(text: &str) -> Result<Timestamp, String> {
    let moment = match time_ns(text) {
        Some(ns) => now_ns().checked_add(ns).map(Timestamp).ok_or("is too far away")?,
        None => Timestamp::try_from(text.to_owned())
            .map_err(|_| "give a time like 90d, or when, as in 2027-01-01T00:00:00Z".to_owned())?,
    };
    if moment <= now() { Err("lies in the past".to_owned()) } else { Ok(moment.to_the_second()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_may_end_after_a_time_or_at_one() {
        let day = 86_400_000_000_000;
        let left = expiry("90d").unwrap().0 - now_ns();
        assert!((90 * day - 5_000_000_000..=90 * day).contains(&left), "{left}");
        assert_eq!(expiry("2262-01-01").unwrap().to_string(), "2262-01-01T00:00:00Z");
        for wrong in ["", "0d", "90", "2001-01-01T00:00:00Z", "tomorrow", "99999999w", "-1d"] {
            assert!(expiry(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patterns_and_names_are_plain() {
        assert!(pattern("web.*").is_ok() && pattern("").is_err() && pattern("a\nb").is_err());
        assert!(pattern(&"x".repeat(256)).is_err());
        assert!(name("").is_ok() && name("web servers").is_ok() && name("\u{1b}[2J").is_err());
    }
}
