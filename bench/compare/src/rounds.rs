//! All peers measured in turn, round after round, so that changes on the machine affect all of
//! them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use sekali_testkit::Machine;

use crate::peer::{About, Peer, Shape};
use crate::place::Place;
use crate::results::{Of, Results, Run};
use crate::{Outcome, disk, peers, say};

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Duration of the load on each peer in each round
    #[arg(long, value_name = "SECONDS", default_value_t = 8.0, value_parser = seconds)]
    seconds: f64,
    /// Number of rounds, of which the medians count
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// Measure only these peers, separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// Use this number of connections instead of each peer's best
    #[arg(long, value_name = "N", requires = "only", value_parser = clap::value_parser!(u16).range(1..=1024))]
    connections: Option<u16>,
    /// Use this number of events in a request instead of each peer's best
    #[arg(long, value_name = "N", requires = "only", value_parser = clap::value_parser!(u16).range(1..=20_000))]
    batch_size: Option<u16>,
    /// Directory for data, on the disk to be measured
    #[arg(long, value_name = "DIR", default_value = "target/compare")]
    scratch_dir: PathBuf,
    /// Directory for the results [default: bench/results, with --only the scratch directory]
    #[arg(long, value_name = "DIR")]
    results_dir: Option<PathBuf>,
    /// The program to measure
    #[arg(long, value_name = "PATH", default_value = "target/release/sekali")]
    sekali: PathBuf,
}

/// Measures, and writes the results.
///
/// # Errors
/// If a peer could not be measured or did not hold the expected events. The results are written
/// anyway. A peer that is not installed is skipped without an error.
pub(crate) fn run(args: &RunArgs) -> Outcome<()> {
    let peers = chosen(&args.only)?;
    let place = Place::new(&args.scratch_dir, &args.sekali)?;
    // Some clients start tasks of their own when they are created.
    let runtime = place.runtime();
    let _entered = runtime.enter();
    let mut results = Results::new(Machine::describe(&args.scratch_dir), args.seconds, args.rounds);
    let (absent, present): (Vec<_>, Vec<_>) =
        peers.into_iter().map(|peer| (peer.missing(&place), peer)).partition(|(missing, _)| missing.is_some());
    for (missing, peer) in absent {
        let missing = missing.unwrap_or_default();
        say(&format!("\n=== LEFT OUT: {}: {missing} ===\n", peer.about().name));
        results.peers.push(Of::left_out(peer.about(), missing));
    }
    let mut measured: Vec<Of> = present.iter().map(|(_, peer)| Of::nothing(args.reshape(peer.about()))).collect();
    for round in 1..=args.rounds {
        place.clear()?;
        results.syncs.push(disk::measure(&place.data)?);
        for ((_, peer), of) in present.iter().zip(&mut measured) {
            let outcome = measure(peer.as_ref(), &place, Duration::from_secs_f64(args.seconds), of);
            let text = match &outcome {
                Ok(run) => run.to_text(),
                Err(error) => format!("FAILED: {error}"),
            };
            say(&format!("round {round} of {}: {:<24} {text}", args.rounds, of.about.name));
            match outcome {
                Ok(run) => of.runs.push(run),
                Err(error) => of.failures.push(error.to_string()),
            }
        }
    }
    place.clear()?;
    measured.append(&mut results.peers);
    results.peers = measured;
    let dir = args.results_dir.clone().unwrap_or_else(|| {
        if args.only.is_empty() { PathBuf::from("bench/results") } else { args.scratch_dir.clone() }
    });
    results.write(&dir)?;
    match results.problems() {
        0 => Ok(()),
        problems => Err(format!("{problems} runs failed or left a peer with events that it should not hold").into()),
    }
}

impl RunArgs {
    fn reshape(&self, about: About) -> About {
        let shape = Shape {
            connections: self.connections.map_or(about.shape.connections, usize::from),
            batch_size: self.batch_size.map_or(about.shape.batch_size, usize::from),
        };
        About { shape, ..about }
    }
}

fn chosen(only: &[String]) -> Outcome<Vec<Box<dyn Peer>>> {
    let mut peers = peers::all();
    let names: Vec<&str> = peers.iter().map(|peer| peer.about().name).collect();
    if let Some(unknown) = only.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(format!("there is no peer {unknown}; there are {}", names.join(", ")).into());
    }
    peers.retain(|peer| only.is_empty() || only.iter().any(|name| name == peer.about().name));
    Ok(peers)
}

/// Starts an empty peer, puts the load on it, asks for the number of its events, and ends it.
fn measure(peer: &dyn Peer, place: &Place, duration: Duration, of: &mut Of) -> Outcome<Run> {
    place.clear()?;
    let mut running = peer.start(place)?;
    of.version = Some(running.version()?);
    let measured = running.measure(&of.about.shape.load(duration))?;
    let held = running.held()?;
    Ok(Run::new(measured, held, running.drops_repeats()))
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=3_600.0).contains(&seconds) => Ok(seconds),
        _ => Err("must be a number of seconds from 0.1 to 3600, like 8".to_owned()),
    }
}
