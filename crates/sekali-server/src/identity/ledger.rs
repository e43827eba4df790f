//! Equal requests whose times do not tell whether they are repeats.
//!
//! The n-th equal request of a sender gets ids of its own, with n in them. Only a request after one
//! that is in doubt gets the ids of that one: its client cannot know whether it was stored, and
//! sends it again. One doubt excuses one request.
//!
//! The store is the memory of this: the ids that it has tell how many equal requests came. So the
//! ledger may forget, and begins empty after a start.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::RequestDigest;

/// Requests that are remembered; the store is asked about others.
const REMEMBERED_MAX: usize = 50_000;
/// Most open turns that are passed over to find one that can be forgotten.
const PASSED_MAX: usize = 256;
/// Longest that a doubt lasts.
const DOUBT_TIME: Duration = Duration::from_secs(24 * 3600);
/// Most doubts about equal requests.
const DOUBTS_MAX: usize = 64;

/// The equal requests of each sender. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    pages: Arc<Mutex<Pages>>,
}

#[derive(Debug, Default)]
struct Pages {
    by_digest: HashMap<RequestDigest, Page>,
    /// The oldest first.
    order: VecDeque<RequestDigest>,
}

#[derive(Debug)]
struct Page {
    /// The number of the next one that is in no doubt.
    next: u32,
    doubts: Vec<(u32, Instant)>,
    /// Turns that may still store events, which must not be forgotten.
    open: u32,
}

/// The equal requests that the store has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct EqualRequests {
    /// One more than the highest number of a stored one.
    pub(crate) next: u32,
    /// The numbers of those that are in doubt.
    pub(crate) in_doubt: Vec<u32>,
}

/// The number that a request has among equal ones. In doubt once it is dropped, unless it was
/// confirmed.
#[derive(Debug)]
pub(crate) struct RequestTurn {
    ledger: Ledger,
    digest: RequestDigest,
    number: u32,
    is_confirmed: bool,
}

impl Ledger {
    /// The turn of a request. `None` if nothing is known of its digest: the store must be asked.
    pub(crate) fn begin(&self, digest: RequestDigest) -> Option<RequestTurn> {
        let mut pages = self.lock();
        let page = pages.by_digest.get_mut(&digest)?;
        Some(self.turn(digest, page))
    }

    /// The same, with what the store knows.
    pub(crate) fn begin_with(&self, digest: RequestDigest, stored: EqualRequests) -> RequestTurn {
        let mut pages = self.lock();
        if !pages.by_digest.contains_key(&digest) {
            pages.make_room();
            pages.order.push_back(digest);
            let until = Instant::now() + DOUBT_TIME;
            let doubts = stored.in_doubt.into_iter().map(|number| (number, until)).collect();
            pages.by_digest.insert(digest, Page { next: stored.next, doubts, open: 0 });
        }
        // Another request may have written the page meanwhile, and knows more.
        match pages.by_digest.get_mut(&digest) {
            Some(page) => self.turn(digest, page),
            None => RequestTurn { ledger: self.clone(), digest, number: stored.next, is_confirmed: false },
        }
    }

    fn turn(&self, digest: RequestDigest, page: &mut Page) -> RequestTurn {
        let now = Instant::now();
        page.doubts.retain(|(_, until)| *until > now);
        let number = if page.doubts.is_empty() {
            page.next += 1;
            page.next - 1
        } else {
            page.doubts.remove(0).0
        };
        page.open += 1;
        RequestTurn { ledger: self.clone(), digest, number, is_confirmed: false }
    }

    fn settle(&self, turn: &RequestTurn) {
        let mut pages = self.lock();
        let Some(page) = pages.by_digest.get_mut(&turn.digest) else { return };
        page.open = page.open.saturating_sub(1);
        if !turn.is_confirmed && page.doubts.len() < DOUBTS_MAX {
            page.doubts.push((turn.number, Instant::now() + DOUBT_TIME));
        }
    }

    /// Nothing panics while this is held.
    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn make_room(&mut self) {
        let mut passed = 0;
        while self.by_digest.len() >= REMEMBERED_MAX {
            let Some(oldest) = self.order.pop_front() else { return };
            match self.by_digest.get(&oldest) {
                // It is looked at again when all others were.
                Some(page) if page.open > 0 && passed < PASSED_MAX => {
                    passed += 1;
                    self.order.push_back(oldest);
                }
                _ => drop(self.by_digest.remove(&oldest)),
            }
        }
    }
}

impl RequestTurn {
    /// The number of the request among equal ones.
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The client has read the answer.
    pub(crate) fn confirm(mut self) {
        self.is_confirmed = true;
    }
}

impl Drop for RequestTurn {
    fn drop(&mut self) {
        self.ledger.settle(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Way;

    fn digest(body: &[u8]) -> RequestDigest {
        RequestDigest::new(Way::Ingest, None, body)
    }

    fn begin(ledger: &Ledger, body: &[u8]) -> RequestTurn {
        let digest = digest(body);
        ledger.begin(digest).unwrap_or_else(|| ledger.begin_with(digest, EqualRequests::default()))
    }

    #[tokio::test(start_paused = true)]
    async fn equal_requests_that_were_answered_are_different_ones() {
        let ledger = Ledger::default();
        for number in 0..5 {
            let turn = begin(&ledger, b"x");
            assert_eq!(turn.number(), number);
            turn.confirm();
        }
        assert_eq!(begin(&ledger, b"y").number(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_doubt_excuses_one_request_and_a_lost_answer_to_that_is_another_doubt() {
        let ledger = Ledger::default();
        drop(begin(&ledger, b"x"));
        let again = begin(&ledger, b"x");
        assert_eq!(again.number(), 0);
        let beside = begin(&ledger, b"x");
        assert_eq!(beside.number(), 1, "while the repeat is in flight there is no doubt left");
        beside.confirm();
        drop(again);
        let third = begin(&ledger, b"x");
        assert_eq!(third.number(), 0);
        third.confirm();
        assert_eq!(begin(&ledger, b"x").number(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_doubt_lasts_a_day() {
        let ledger = Ledger::default();
        drop(begin(&ledger, b"x"));
        tokio::time::advance(DOUBT_TIME + Duration::from_secs(1)).await;
        assert_eq!(begin(&ledger, b"x").number(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_start_the_store_says_how_many_there_were_and_which_are_in_doubt() {
        let ledger = Ledger::default();
        assert!(ledger.begin(digest(b"x")).is_none());
        let stored = EqualRequests { next: 3, in_doubt: vec![2] };
        let turn = ledger.begin_with(digest(b"x"), stored.clone());
        assert_eq!(turn.number(), 2);
        turn.confirm();
        assert_eq!(ledger.begin_with(digest(b"x"), stored).number(), 3, "the ledger knows more than the store did");
    }

    #[tokio::test(start_paused = true)]
    async fn the_ledger_is_bounded_and_keeps_what_is_in_flight() {
        let ledger = Ledger::default();
        let open = begin(&ledger, b"open");
        for number in 0..=REMEMBERED_MAX {
            begin(&ledger, &number.to_be_bytes()).confirm();
        }
        assert_eq!(ledger.lock().by_digest.len(), REMEMBERED_MAX);
        assert_eq!(ledger.lock().order.len(), REMEMBERED_MAX);
        assert!(ledger.begin(digest(b"open")).is_some());
        assert!(ledger.begin(digest(&0_usize.to_be_bytes())).is_none());
        open.confirm();
    }
}
