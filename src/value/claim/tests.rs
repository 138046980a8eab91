#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
use super::*;
use chrono::DateTime;
use chrono::TimeDelta;

fn window(from_minute: i64, to_minute: i64) -> Window {
    let at = |minute| DateTime::from_timestamp(minute * 60, 0).unwrap();
    Window::new(at(100_000 + from_minute), at(100_000 + to_minute)).unwrap()
}

#[test]
fn pairs_are_sorted_and_counted() {
    let ids: Vec<ResourceId> = (0..65).map(|_| ResourceId::generate()).collect();
    let claim = Claim::all([ids[1], ids[0]], window(0, 60)).unwrap();
    assert_eq!(claim.as_pairs().len(), 2);
    assert!(claim.as_pairs().is_sorted());
    assert_eq!(Claim::all([], window(0, 60)), Err(InvalidInput::NoResources));
    assert!(Claim::all(ids[..64].iter().copied(), window(0, 60)).is_ok());
    assert_eq!(Claim::all(ids, window(0, 60)), Err(InvalidInput::TooManyResources { limit: 64 }));
}

#[test]
fn a_claim_must_not_overlap_itself_even_through_its_buffers() {
    let resource = ResourceId::generate();
    let pair = |a, b| Pair { resource, window: window(a, b) };
    assert_eq!(Claim::pairs([pair(0, 60), pair(30, 90)]), Err(InvalidInput::ClaimOverlapsItself));
    assert_eq!(Claim::pairs([pair(0, 60), pair(0, 60)]), Err(InvalidInput::ClaimOverlapsItself));
    let touching = Claim::pairs([pair(60, 90), pair(0, 60)]).unwrap();
    assert_eq!(touching.window(), window(0, 90));
    let buffers = Buffers::new(TimeDelta::zero(), TimeDelta::minutes(5)).unwrap();
    assert_eq!(touching.with_buffers(buffers), Err(InvalidInput::ClaimOverlapsItself));
}

#[test]
fn buffers_are_whole_seconds_up_to_a_week() {
    let zero = TimeDelta::zero();
    for bad in [TimeDelta::milliseconds(1_500), TimeDelta::seconds(-1), TimeDelta::seconds(604_801)] {
        assert_eq!(Buffers::new(bad, zero), Err(InvalidInput::Buffer));
        assert_eq!(Buffers::new(zero, bad), Err(InvalidInput::Buffer));
    }
    assert!(Buffers::new(TimeDelta::days(7), zero).is_ok());
}
