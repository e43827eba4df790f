//! Live tails that are given new events together: each event is read once.

use std::time::Instant;

use sekali_store::{Reader, Result, Scan, StoredEvent, is_reserved, partition_of};
use tracing::error;

use super::TailPosition;
use super::board::{NewTopics, Waiting};
use super::interest::Interest;
use super::tail::{Stay, Tail};
use crate::clock::now_ns;
use crate::limits::{TAIL_GAP_MAX, TAIL_SCAN_BYTES};

/// How many events pass between looks at the clock.
const EVENTS_BETWEEN_LOOKS: usize = 64;

/// Live tails, and how far they have come.
pub(super) struct TailGroup {
    /// `None` are those that have left, until they are swept.
    tails: Vec<Option<Waiting>>,
    /// Everything up to here was given to all tails.
    position: TailPosition,
    /// The topics of what comes behind it.
    topics: NewTopics,
    interest: Interest,
}

/// Which topics of what is new are to be read.
enum Wanted {
    Nothing,
    One(String),
    All,
}

impl TailGroup {
    /// No tails, of a store with so many partitions.
    pub(super) fn new(partitions: usize) -> Self {
        let position = TailPosition::new(partitions, &Vec::new());
        Self { tails: Vec::new(), position, topics: NewTopics::default(), interest: Interest::default() }
    }

    /// Whether there are no tails.
    pub(super) fn is_empty(&self) -> bool {
        self.tails.is_empty()
    }

    /// Takes note of commits with these topics.
    pub(super) fn note(&mut self, topics: NewTopics) {
        self.topics.merge(topics);
    }

    /// Takes a tail in, unless it is too far behind the others, or there is something for it. The
    /// durable events of each partition end with `last_seqs`.
    pub(super) fn join(&mut self, readers: &[Reader], mut joining: Waiting) {
        if self.tails.is_empty() {
            // It is not known yet which topics are new to it.
            (self.position, self.topics) = (joining.tail.position.clone(), NewTopics::all());
        } else {
            match self.close_gap(readers, &mut joining.tail) {
                Ok(Stay::Live) => {}
                Ok(Stay::Return) => return give_back(joining),
                Ok(Stay::End) => return,
                Err(failure) => {
                    // Its own task will come upon the same, and say so.
                    error!(error = failure.describe(), "a tail cannot join the others");
                    return give_back(joining);
                }
            }
        }
        self.tails.push(Some(joining));
        self.interest.forget();
    }

    /// Gives a tail what the others had already.
    fn close_gap(&self, readers: &[Reader], tail: &mut Tail) -> Result<Stay> {
        let topic = tail.query.topics.only();
        let only = topic.filter(|topic| !is_reserved(topic)).map(|topic| partition_of(topic, readers.len() as u32));
        let gaps = readers.iter().enumerate().filter(|(at, _)| only.is_none_or(|only| only as usize == *at));
        let gaps = gaps.map(|(at, reader)| (at, reader, tail.position.get(at), self.position.get(at)));
        let gaps: Vec<_> = gaps.filter(|(.., own, ours)| own < ours).collect();
        if gaps.iter().map(|(.., own, ours)| ours - own).sum::<u64>() > TAIL_GAP_MAX {
            return Ok(Stay::Return);
        }
        let topic = topic.map(str::to_owned);
        for (partition, reader, own, ours) in gaps {
            for event in reader.at(now_ns()).scan(scan(topic.clone(), own)) {
                let event = event?;
                if event.seq > ours {
                    break;
                }
                if tail.query.wants(&event.topic) {
                    match tail.take(partition, &event) {
                        Stay::Live => {}
                        leave => return Ok(leave),
                    }
                }
            }
        }
        Ok(tail.flush())
    }

    /// Gives tails what is new, up to `last_seqs`, for as long as there is time. Returns whether
    /// that was all.
    pub(super) fn give(&mut self, readers: &[Reader], last_seqs: &[u64], until: Instant) -> bool {
        let mut is_all = true;
        for (partition, (reader, &last_seq)) in readers.iter().zip(last_seqs).enumerate() {
            if self.position.get(partition) >= last_seq {
                continue;
            }
            let topic = match self.wanted() {
                Wanted::Nothing => {
                    self.position.raise(partition, last_seq);
                    continue;
                }
                Wanted::One(topic) => Some(topic),
                Wanted::All => None,
            };
            match self.read(partition, reader, topic, last_seq, until) {
                Ok(read_all) => is_all &= read_all,
                Err(failure) => {
                    error!(error = failure.describe(), "live tails go back to reading by themselves");
                    self.tails.drain(..).flatten().for_each(give_back);
                }
            }
        }
        self.each(|waiting| waiting.tail.flush());
        if is_all {
            self.topics = NewTopics::default();
        }
        is_all
    }

    /// Reads on in one partition.
    fn read(
        &mut self,
        partition: usize,
        reader: &Reader,
        topic: Option<String>,
        last_seq: u64,
        until: Instant,
    ) -> Result<bool> {
        let begin = self.position.get(partition);
        for (count, event) in reader.at(now_ns()).scan(scan(topic, begin)).enumerate() {
            let event = event?;
            if event.seq > last_seq {
                // The topics of what comes are not known yet.
                break;
            }
            self.give_event(partition, &event);
            if (count + 1) % EVENTS_BETWEEN_LOOKS == 0 && Instant::now() >= until {
                self.position.raise(partition, event.seq);
                return Ok(event.seq == last_seq);
            }
        }
        self.position.raise(partition, last_seq);
        Ok(true)
    }

    fn give_event(&mut self, partition: usize, event: &StoredEvent) {
        let Self { tails, interest, .. } = self;
        for &number in interest.of(&event.topic, || interested(tails, &event.topic)) {
            let Some(place) = tails.get_mut(number as usize) else { continue };
            let Some(waiting) = place else { continue };
            leave(waiting.tail.take(partition, event), place);
        }
    }

    /// Which topics of what is new some tail wants.
    fn wanted(&mut self) -> Wanted {
        let Self { tails, interest, topics, .. } = self;
        let Some(names) = topics.names() else { return Wanted::All };
        let mut wanted = names.filter(|topic| !interest.of(topic, || interested(tails, topic)).is_empty());
        match (wanted.next(), wanted.next()) {
            (None, _) => Wanted::Nothing,
            (Some(topic), None) => Wanted::One(topic.to_owned()),
            (Some(_), Some(_)) => Wanted::All,
        }
    }

    /// Looks after tails that may be silent, and forgets those that are gone.
    pub(super) fn tick(&mut self) {
        let position = self.position.clone();
        self.each(|waiting| if waiting.back.is_closed() { Stay::End } else { waiting.tail.tick(&position) });
    }

    /// Ends all tails, and says where each has come to.
    pub(super) fn close(&mut self) {
        for waiting in self.tails.drain(..).flatten() {
            let mut tail = waiting.tail;
            tail.position.raise_to(&self.position);
            if let Some(output) = &mut tail.output {
                output.alive(&tail.position);
            }
            tail.flush();
        }
    }

    /// Does something with each tail, and sweeps out those that leave.
    fn each(&mut self, mut act: impl FnMut(&mut Waiting) -> Stay) {
        let before = self.tails.len();
        for place in &mut self.tails {
            if let Some(waiting) = place {
                leave(act(waiting), place);
            }
        }
        self.tails.retain(Option::is_some);
        if self.tails.len() < before {
            self.interest.forget();
        }
    }
}

/// The events behind `after`, of one topic or of all.
fn scan(topic: Option<String>, after: u64) -> Scan {
    Scan { topic, reserved: true, after: Some(after), bytes_max: Some(TAIL_SCAN_BYTES), ..Scan::default() }
}

/// The numbers of the tails that want `topic`.
fn interested(tails: &[Option<Waiting>], topic: &str) -> Box<[u32]> {
    let wants = |place: &Option<Waiting>| place.as_ref().is_some_and(|waiting| waiting.tail.query.wants(topic));
    (0..).zip(tails).filter(|(_, place)| wants(place)).map(|(number, _)| number).collect()
}

/// Empties the place of a tail that does not stay.
fn leave(stay: Stay, place: &mut Option<Waiting>) {
    match stay {
        Stay::Live => {}
        Stay::Return => place.take().map(give_back).unwrap_or_default(),
        Stay::End => *place = None,
    }
}

fn give_back(mut waiting: Waiting) {
    waiting.tail.rewind();
    // An error here is a task that is gone with its client.
    let _ = waiting.back.send(waiting.tail);
}
