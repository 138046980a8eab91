//! One id, one thing: whatever takes a claim's id finds it taken, whoever took it.

use super::common::*;
use slotkeeper::BlackoutId;

use slotkeeper::uuid::Uuid;

/// The operations that take an id of the caller's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Take {
    PlaceOne,
    PlaceMany,
    PlaceLimited,
    Replace,
    BlockOne,
    BlockMany,
}

const TAKES: [Take; 6] =
    [Take::PlaceOne, Take::PlaceMany, Take::PlaceLimited, Take::Replace, Take::BlockOne, Take::BlockMany];

/// What an id may have been used for before: those, and a booking's claim.
async fn take(h: &House, how: Take, id: Uuid, tables: &[ResourceId], from: i64) -> Result<(), Error> {
    let claim =
        |many: bool| if many { all(tables, from, from + 10) } else { one(tables[0], from, from + 10) };
    let hold = |many: bool| PlaceHold::new(h.tenant, claim(many)).with_id(HoldId::from_uuid(id));
    match how {
        Take::PlaceOne => h.keeper.holds().place(&h.pool, &hold(false)).await.map(drop),
        Take::PlaceMany => h.keeper.holds().place(&h.pool, &hold(true)).await.map(drop),
        Take::PlaceLimited => {
            let policy = HoldPolicy::new().active_per_actor(1_000);
            let keeper = h.keeper.clone().with_hold_policy(policy);
            keeper.holds().place(&h.pool, &hold(false).actor(Actor::new("a").unwrap())).await.map(drop)
        }
        Take::Replace => {
            let old = try_hold(h, one(tables[0], from + 10, from + 20)).await?;
            h.keeper.holds().replace(&h.pool, &ReplaceHold::new(old.id, hold(false))).await.map(drop)
        }
        Take::BlockOne | Take::BlockMany => {
            let block =
                Block::new(h.tenant, claim(how == Take::BlockMany)).with_id(BlackoutId::from_uuid(id));
            h.keeper.allocations().block(&h.pool, &block).await.map(drop)
        }
    }
}

fn is_hold(how: Take) -> bool {
    !matches!(how, Take::BlockOne | Take::BlockMany)
}

#[tokio::test]
async fn an_id_that_something_has_is_refused_in_every_order() {
    let h = House::open().await;
    let (first, second) = (h.tables(2).await, h.tables(2).await);
    let mut from = 0;
    for a in TAKES {
        for b in TAKES {
            let id = Uuid::now_v7();
            from += 30;
            take(&h, a, id, &first, from).await.unwrap();
            let refused = take(&h, b, id, &second, from).await.unwrap_err();
            let Error::KeyReused { field } = refused else { panic!("{a:?}, then {b:?}: {refused:?}") };
            // A hold is compared with a hold, a blackout with a blackout; else the id is another operation's.
            assert_eq!(field == "operation", is_hold(a) != is_hold(b), "{a:?}, then {b:?}: {field}");
        }
    }
    assert_audit(&h).await;
}

/// A booking made without a hold has a claim of its own, which its host can read.
#[tokio::test]
async fn the_claim_of_a_booking_is_no_id_for_anything_else() {
    let h = House::open().await;
    let (first, second) = (h.tables(2).await, h.tables(2).await);
    for (n, how) in TAKES.into_iter().enumerate() {
        let from = 30 * n as i64;
        let booking = booked(&h, all(&first, from, from + 10)).await;
        let found = h.keeper.bookings().find(&h.pool, h.tenant, booking).await.unwrap().unwrap();
        let refused = take(&h, how, found.claim.unwrap().as_uuid(), &second, from).await.unwrap_err();
        assert!(matches!(refused, Error::KeyReused { field: "operation" }), "{how:?}: {refused:?}");
        let places = h.keeper.allocations().list_by_booking(&h.pool, h.tenant, booking).await.unwrap();
        assert_eq!(places.len(), 2);
    }
    assert_audit(&h).await;
}

/// Both begin before either is there to be seen, at places that have nothing to do with each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_that_take_an_id_at_once_one_has_it() {
    let h = Arc::new(House::open().await);
    let (first, second) = (h.tables(2).await, h.tables(2).await);
    warm(&h, 2).await;
    let mut from = 0;
    for a in TAKES {
        for b in TAKES {
            from += 30;
            let id = Uuid::now_v7();
            let answers = race([(a, first.clone()), (b, second.clone())].map(|(how, tables)| {
                let h = h.clone();
                async move { take(&h, how, id, &tables, from).await }
            }))
            .await;
            let won = answers.iter().filter(|answer| answer.is_ok()).count();
            let told = answers.iter().filter(|answer| matches!(answer, Err(Error::KeyReused { .. }))).count();
            assert_eq!((won, told), (1, 1), "{a:?} and {b:?}: {answers:?}");
        }
    }
    assert_audit(&h).await;
}

/// The one that waits for the other's commit is told, not left to repeat in vain.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_an_id_is_told_that_it_is_taken() {
    let h = Arc::new(House::open().await);
    let (first, second) = (h.tables(2).await, h.tables(2).await);
    let mut from = 0;
    for a in [Take::PlaceOne, Take::BlockMany] {
        for b in TAKES {
            from += 30;
            let id = Uuid::now_v7();
            let mut client = h.db.client().await.unwrap();
            let transaction = client.transaction().await.unwrap();
            let claim = one(first[0], from, from + 10);
            if is_hold(a) {
                let hold = PlaceHold::new(h.tenant, claim).with_id(HoldId::from_uuid(id));
                h.keeper.holds().place(&transaction, &hold).await.unwrap();
            } else {
                let block = Block::new(h.tenant, claim).with_id(BlackoutId::from_uuid(id));
                h.keeper.allocations().block(&transaction, &block).await.unwrap();
            }
            let waiting = tokio::spawn({
                let (h, second) = (h.clone(), second.clone());
                async move { take(&h, b, id, &second, from).await }
            });
            until_waiting(&h, 1).await;
            transaction.commit().await.unwrap();
            let refused = waiting.await.unwrap().unwrap_err();
            assert!(matches!(refused, Error::KeyReused { .. }), "{a:?}, then {b:?}: {refused:?}");
        }
    }
    assert_audit(&h).await;
}
