use sekali_store::{HashKey, KeyHasher};
use sekali_wire::limits::BODY_BYTES_MAX;

use super::*;
use crate::clients::{Client, FairShares, ShareSizes};
use crate::identity::Way;

fn drafts_in(bytes: usize) -> Drafts {
    let sizes = ShareSizes { large: bytes, small: 0, small_max: 0 };
    let shares = FairShares::new(sizes, std::time::Duration::ZERO);
    Drafts::new(5, shares.hold(Client::Network([10, 0, 0, 1].into())))
}

fn drafts() -> Drafts {
    drafts_in(1 << 40)
}

const DRAFT: Draft<'static> = Draft { topic: "t", id: None, time_ns: Some(1), source: "s", payload: b"{}" };

fn push(drafts: &mut Drafts, draft: Draft<'_>) {
    drafts.push(&draft, OnInvalid::Quarantine, b"record").unwrap();
}

#[test]
fn an_event_without_id_and_time_leaves_all_without_one() {
    let mut drafts = drafts();
    push(&mut drafts, Draft { id: Some("1"), time_ns: None, ..DRAFT });
    assert_eq!(drafts.plan(false), IdPlan::Declared);
    push(&mut drafts, DRAFT);
    assert_eq!((drafts.plan(false), drafts.plan(true)), (IdPlan::Counted, IdPlan::Content));
    push(&mut drafts, Draft { time_ns: Some(123_456_789), ..DRAFT });
    assert_eq!(drafts.plan(false), IdPlan::Request);
    push(&mut drafts, Draft { time_ns: None, ..DRAFT });
    assert_eq!(drafts.plan(false), IdPlan::None);
    assert_eq!(drafts.first_without_id(), Some((1, "t")));
}

#[test]
fn what_is_no_event_is_kept_in_quarantine_or_named() {
    let mut drafts = drafts();
    let wrong = [
        Draft { topic: "$x", ..DRAFT },
        Draft { topic: "", ..DRAFT },
        Draft { id: Some(""), ..DRAFT },
        Draft { id: Some("a\nb"), ..DRAFT },
        Draft { payload: b"[]", ..DRAFT },
        Draft { payload: b"{\"\xff\":1}", ..DRAFT },
    ];
    for draft in wrong {
        push(&mut drafts, draft);
        drafts.push(&draft, OnInvalid::Fail, b"record").unwrap();
    }
    for (at, state) in drafts.states().enumerate() {
        assert!(
            matches!((at % 2, state), (0, ItemState::Quarantined(_)) | (1, ItemState::Failed(_))),
            "{at} {state:?}"
        );
    }
    let target = Target { hasher: KeyHasher::new(&HashKey([1; 32])), partitions: 1 };
    let (accepted, counts) = drafts.build(IdRule::None, &target, Some(&Topics::from(Vec::new()))).unwrap();
    assert_eq!((accepted.events, counts.quarantined), (wrong.len(), wrong.len()));
}

#[test]
fn topics_of_others_are_refused() {
    let mut drafts = drafts();
    push(&mut drafts, DRAFT);
    let target = Target { hasher: KeyHasher::new(&HashKey([1; 32])), partitions: 1 };
    let other = Topics::from(vec!["other".to_owned()]);
    let refused = drafts.build(IdRule::None, &target, Some(&other)).err();
    assert_eq!(refused, Some(IngestError::Forbidden { index: 0, topic: "t".to_owned() }));
}

#[test]
fn memory_is_bounded_and_counted() {
    let mut drafts = drafts();
    let payload = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000_000));
    let large = Draft { payload: payload.as_bytes(), ..DRAFT };
    let pushed = (0..100).map(|_| drafts.push(&large, OnInvalid::Fail, b"")).take_while(Result::is_ok).count();
    assert_eq!(pushed, BODY_BYTES_MAX / (payload.len() + 2));
    assert!(drafts.text.capacity() <= BODY_BYTES_MAX && drafts.room.bytes() >= drafts.text.capacity());
    let mut poor = drafts_in(100_000);
    assert_eq!(poor.push(&large, OnInvalid::Fail, b""), Err(DraftsError::Overloaded));
    let digest = RequestDigest::new(Way::Ingest, None, b"");
    assert_ne!(IdRule::Request { digest, number: 0 }.kind(), IdRule::Content.kind());
}
