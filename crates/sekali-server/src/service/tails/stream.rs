//! The task of a tail: reads by itself until it has caught up, and then waits among the live ones.

use std::time::{Duration, Instant};

use tokio::time::timeout;
use tracing::error;

use super::catch_up::CatchUp;
use super::output::{Flushed, PieceSender};
use super::{Tail, TailOutput, Tails};
use crate::clients::HeldShare;
use crate::query::QueryError;
use crate::service::Service;

/// How long a tail waits whose client has too many answers that it does not take.
const MEMORY_WAIT: Duration = Duration::from_millis(100);

/// Why a tail ends.
enum End {
    /// The client has gone, may see no more, or the server ends.
    Over,
    /// The client takes nothing.
    Behind(Box<Tail>),
    /// The reading failed.
    Broken(QueryError),
}

/// Sends the events of a tail with an output until its client has gone or is too slow, or the
/// server ends. Holds `place` as long.
pub(crate) async fn stream(tail: Tail, service: Service, place: HeldShare) {
    let Some(output) = &tail.output else { return };
    let sender = output.sender().clone();
    let tails = service.tails().clone();
    let end = tokio::select! {
        end = run(tail, &service, &sender) => end,
        () = sender.closed() => End::Over,
    };
    drop(place);
    match end {
        End::Over => {}
        End::Behind(mut tail) => {
            let Some(output) = &mut tail.output else { return };
            let last_words = output.behind();
            // Until it takes one piece more, or is cut off.
            let _ = sender.send(Ok(last_words)).await;
        }
        End::Broken(failure) if !tails.is_closed() => {
            error!(error = &failure as &dyn std::error::Error, "a live tail broke off");
            // Without an end, so that its client takes it up again.
            let _ = sender.send(Err(failure.into())).await;
        }
        End::Broken(_) => {}
    }
}

async fn run(mut tail: Tail, service: &Service, sender: &PieceSender) -> End {
    loop {
        tail = match catch_up(tail, service, sender).await {
            Ok(tail) => tail,
            Err(end) => return end,
        };
        tail = match service.tails().wait(tail).await {
            Some(tail) => tail,
            None => return End::Over,
        };
    }
}

/// Reads and sends until the tail has caught up.
async fn catch_up(mut tail: Tail, service: &Service, sender: &PieceSender) -> Result<Tail, End> {
    let mut reading = CatchUp::new(&service.readers_now(), &tail);
    loop {
        tail = wait_for_room(tail, &mut reading, service.tails(), sender).await?;
        if !tail.lease.holds() || service.tails().is_closed() {
            return Err(End::Over);
        }
        let Some(client) = tail.output.as_ref().map(|output| output.client().clone()) else { return Ok(tail) };
        let turn = move || {
            let is_current = reading.turn(&mut tail);
            (tail, reading, is_current)
        };
        let (is_current, read);
        (tail, read, is_current) = service.reads().run_always(client, turn).await.map_err(End::Broken)?;
        reading = read;
        let is_current = is_current.map_err(|failure| End::Broken(failure.into()))?;
        if let Some(output) = &mut tail.output {
            output.keep_alive(&tail.position);
        }
        tail = hand_over(tail).await?;
        if is_current {
            return Ok(tail);
        }
    }
}

/// Waits until the client takes a piece, holding nothing that others need.
async fn wait_for_room(tail: Tail, reading: &mut CatchUp, tails: &Tails, sender: &PieceSender) -> Result<Tail, End> {
    if sender.capacity() > 0 {
        return Ok(tail);
    }
    reading.release();
    let patience = tail.output.as_ref().map_or(Duration::ZERO, TailOutput::patience);
    tokio::select! {
        room = timeout(patience, sender.reserve()) => match room {
            Ok(Ok(_)) => Ok(tail),
            Ok(Err(_)) => Err(End::Over),
            Err(_) => Err(End::Behind(Box::new(tail))),
        },
        () = tails.closed() => Err(End::Over),
    }
}

/// Sends what was read, once there is memory for it.
async fn hand_over(mut tail: Tail) -> Result<Tail, End> {
    let begun = Instant::now();
    loop {
        let Some(output) = &mut tail.output else { return Ok(tail) };
        match output.flush(&tail.position) {
            Flushed::Sent => return Ok(tail),
            Flushed::Gone => return Err(End::Over),
            Flushed::Full if begun.elapsed() >= output.patience() => return Err(End::Behind(Box::new(tail))),
            Flushed::Full => tokio::time::sleep(MEMORY_WAIT).await,
        }
    }
}
