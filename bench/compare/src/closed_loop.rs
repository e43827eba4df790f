//! The load of `sekali bench`, for peers without HTTP: every connection publishes a request, waits
//! until all of its events are acknowledged, and publishes the next.

use std::future::Future;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use sekali::bench::{Body, Load, RunId};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::peer::{Latency, Measured};

const SIGNIFICANT_DIGITS: u8 = 3;

/// A connection to a peer.
pub(crate) trait Session: Send + 'static {
    /// Publishes all events of `body`, and returns when all are acknowledged.
    fn publish(&mut self, body: &Body) -> impl Future<Output = Outcome<()>> + Send;
}

/// The results of one connection.
struct Seen {
    events: u64,
    distinct: u64,
    times_ns: Histogram<u64>,
}

impl Seen {
    fn nothing() -> Outcome<Self> {
        Ok(Self { events: 0, distinct: 0, times_ns: Histogram::new(SIGNIFICANT_DIGITS)? })
    }
}

/// Puts `load` on `sessions`, one for each connection. Any failure ends it.
pub(crate) async fn run<S: Session>(sessions: Vec<S>, load: &Load) -> Outcome<Measured> {
    let run = RunId::random();
    let started = Instant::now();
    let until = started + load.duration;
    let mut tasks = JoinSet::new();
    for (number, session) in sessions.into_iter().enumerate() {
        let body = Body::new(load, run, number as u64);
        tasks.spawn(connection(session, body, load.batch_size, until));
    }
    let mut total = Seen::nothing()?;
    while let Some(seen) = tasks.join_next().await {
        let seen = seen??;
        total.events += seen.events;
        total.distinct += seen.distinct;
        total.times_ns.add(&seen.times_ns)?;
    }
    Ok(measured(&total, started.elapsed()))
}

async fn connection<S: Session>(mut session: S, mut body: Body, events: usize, until: Instant) -> Outcome<Seen> {
    let mut seen = Seen::nothing()?;
    while Instant::now() < until {
        let begun = Instant::now();
        session.publish(&body).await?;
        seen.times_ns.record(u64::try_from(begun.elapsed().as_nanos())?)?;
        seen.events += events as u64;
        seen.distinct += body.new_events();
        body.renew();
    }
    Ok(seen)
}

fn measured(total: &Seen, elapsed: Duration) -> Measured {
    let seconds = elapsed.as_secs_f64();
    Measured {
        events: total.events,
        distinct: total.distinct,
        seconds,
        events_per_second: total.events as f64 / seconds,
        latency_ms: Latency::of_nanoseconds(&total.times_ns),
        errors: 0,
    }
}
