//! A hold's id is what makes a repeat safe.

use super::common::*;
use chrono::TimeDelta;

async fn place(h: &House, request: &PlaceHold) -> Result<Hold, Error> {
    h.keeper.holds().place(&h.pool, request).await
}

#[tokio::test]
async fn repeating_a_place_returns_the_first_hold_and_takes_nothing_more() {
    let h = House::open().await;
    let t = h.tables(2).await;
    for claim in [one(t[0], 0, 30), all(&t, 60, 90)] {
        let request = PlaceHold::new(h.tenant, claim);
        let first = place(&h, &request).await.unwrap();
        let before = h.digest().await;
        assert_eq!(place(&h, &request).await.unwrap(), first);
        assert_eq!(h.digest().await, before);
    }
}

/// The answer is the first one, with the status it has now; the places are not claimed anew.
#[tokio::test]
async fn repeating_a_place_tells_what_became_of_the_hold() {
    let h = House::open().await;
    let t = h.tables(4).await;
    let requests: Vec<_> = t.iter().map(|table| PlaceHold::new(h.tenant, one(*table, 0, 30))).collect();
    for request in &requests {
        place(&h, request).await.unwrap();
    }
    expire(&h, requests[0].id()).await;
    release(&h, requests[1].id()).await;
    let _ = confirm_hold(&h, requests[2].id()).await;
    let new = PlaceHold::new(h.tenant, one(t[3], 60, 90));
    h.keeper.holds().replace(&h.pool, &ReplaceHold::new(requests[3].id(), new)).await.unwrap();
    let before = h.digest().await;
    let expected = [HoldStatus::Expired, HoldStatus::Released, HoldStatus::Consumed, HoldStatus::Replaced];
    for (request, status) in requests.iter().zip(expected) {
        let again = place(&h, request).await.unwrap();
        assert_eq!((again.status, again.pairs.len()), (status, 1));
    }
    assert_eq!(h.digest().await, before);
}

#[tokio::test]
async fn the_same_id_with_another_request_names_the_field_that_differs() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let actor = |name: &str| Actor::new(name).unwrap();
    let reference = |text: &str| Reference::new(text).unwrap();
    let id = HoldId::generate();
    let ask = |claim: Claim| PlaceHold::new(h.tenant, claim).with_id(id);
    let first = ask(one(t[0], 0, 30)).actor(actor("a")).reference(reference("r"));
    place(&h, &first).await.unwrap();
    let before = h.digest().await;
    let buffers = Buffers::new(TimeDelta::minutes(5), TimeDelta::zero()).unwrap();
    let buffered = one(t[0], 0, 30).with_buffers(buffers).unwrap();
    for (request, expected) in [
        (ask(one(t[0], 0, 30)).actor(actor("b")).reference(reference("r")), "actor"),
        (ask(one(t[0], 0, 30)).reference(reference("r")), "actor"),
        (ask(one(t[0], 0, 31)).actor(actor("a")).reference(reference("r")), "window"),
        (ask(buffered).actor(actor("a")).reference(reference("r")), "buffers"),
        (ask(one(t[1], 0, 30)).actor(actor("a")).reference(reference("r")), "resources"),
        (ask(all(&t, 0, 30)).actor(actor("a")).reference(reference("r")), "resources"),
        (ask(one(t[0], 0, 30)).actor(actor("a")), "reference"),
        (ask(one(t[0], 0, 30)).actor(actor("a")).reference(reference("s")), "reference"),
    ] {
        let refused = place(&h, &request).await.unwrap_err();
        assert!(
            matches!(refused, Error::KeyReused { field } if field == expected),
            "{expected}: {refused:?}"
        );
    }
    assert_eq!(h.digest().await, before);
    assert!(place(&h, &first).await.is_ok());
}

/// A retry's TTL often shrinks with the basket's clock: it is no other request, and changes nothing.
#[tokio::test]
async fn a_repeat_with_another_ttl_returns_the_first_hold_as_it_is() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let ttl = |seconds| Ttl::new(TimeDelta::seconds(seconds)).unwrap();
    for claim in [one(t[0], 0, 30), all(&t, 60, 90)] {
        let request = PlaceHold::new(h.tenant, claim).ttl(ttl(600));
        let first = place(&h, &request).await.unwrap();
        let before = h.digest().await;
        for other in [1, 599, 601, 3_600] {
            assert_eq!(place(&h, &request.clone().ttl(ttl(other))).await.unwrap(), first, "{other}");
        }
        assert_eq!(h.digest().await, before);
    }
}

/// Simultaneous repeats, as an impatient client sends them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_place_at_once_is_placed_once() {
    let h = Arc::new(House::open().await);
    let t = h.tables(2).await;
    warm(&h, 4).await;
    for round in 0..20 {
        let claim = if round % 2 == 0 {
            one(t[0], round * 60, round * 60 + 30)
        } else {
            all(&t, round * 60, round * 60 + 30)
        };
        let request = PlaceHold::new(h.tenant, claim);
        let answers = race((0..4).map(|_| {
            let (h, request) = (h.clone(), request.clone());
            async move { place(&h, &request).await.unwrap() }
        }))
        .await;
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        assert_eq!(live(&h, answers[0].id).await, answers[0].pairs.len() as i64);
    }
    assert_eq!(h.db.deadlocks().await.unwrap(), 0);
}

#[tokio::test]
async fn a_ttl_is_between_a_second_and_thirty_days_and_within_the_policys_life() {
    for refused in
        [TimeDelta::milliseconds(999), TimeDelta::days(30) + TimeDelta::microseconds(1), TimeDelta::zero()]
    {
        assert_eq!(Ttl::new(refused), Err(InvalidInput::Ttl));
    }
    let h = House::with(
        Slotkeeper::new().with_hold_policy(HoldPolicy::new().longest_life(TimeDelta::minutes(10)).unwrap()),
    )
    .await;
    let table = h.table().await;
    let ask = |from, ttl| PlaceHold::new(h.tenant, one(table, from, from + 5)).ttl(Ttl::new(ttl).unwrap());
    for (n, ttl) in [TimeDelta::seconds(1), TimeDelta::minutes(10)].into_iter().enumerate() {
        let held = place(&h, &ask(n as i64 * 10, ttl)).await.unwrap();
        assert_eq!(held.expires_at - held.placed_at, ttl);
    }
    let before = h.digest().await;
    let refused = place(&h, &ask(50, TimeDelta::minutes(10) + TimeDelta::microseconds(1))).await.unwrap_err();
    assert!(matches!(refused, Error::InvalidInput(InvalidInput::HoldLife)), "{refused:?}");
    assert_eq!(h.digest().await, before);
    let default = place(&h, &PlaceHold::new(h.tenant, one(table, 60, 70))).await.unwrap();
    assert_eq!(default.expires_at - default.placed_at, TimeDelta::seconds(180));
}

#[tokio::test]
async fn a_reference_is_used_once_per_tenant() {
    let h = House::open().await;
    let table = h.table().await;
    let ask =
        |from| PlaceHold::new(h.tenant, one(table, from, from + 5)).reference(Reference::new("r").unwrap());
    place(&h, &ask(0)).await.unwrap();
    assert!(matches!(place(&h, &ask(10)).await, Err(Error::ReferenceTaken)));
    assert!(h.keeper.allocations().is_free(&h.pool, h.tenant, table, window(10, 15)).await.unwrap());
}
