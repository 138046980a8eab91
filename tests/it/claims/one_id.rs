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

/// What had an id before its rows left the claim space, and what of it is still there.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Past {
    /// A booking made without a hold.
    Booked,
    /// One made from a hold, which was forgotten since.
    Confirmed,
    /// A booking whose rows were deleted from the archive too.
    Unarchived,
    /// A booking that was forgotten since.
    Forgotten,
    /// A hold that was let go and forgotten.
    LetGo,
    /// A hold that is still there, and its rows are not.
    Held,
    Blackout,
}

const PASTS: [Past; 7] = [
    Past::Booked,
    Past::Confirmed,
    Past::Unarchived,
    Past::Forgotten,
    Past::LetGo,
    Past::Held,
    Past::Blackout,
];

/// Moves a claim's rows to the archive, as retention does once they are old.
async fn archived(h: &House, id: Uuid) {
    h.sql(&format!(
        "WITH gone AS (DELETE FROM slotkeeper.allocations WHERE claim_id = '{id}' RETURNING *)
         INSERT INTO slotkeeper.allocations_archive SELECT *, statement_timestamp() FROM gone"
    ))
    .await;
    assert_eq!(live(h, id).await, 0);
}

async fn past(h: &House, past: Past, tables: &[ResourceId], from: i64) -> Uuid {
    let claim = all(tables, from, from + 10);
    let id = match past {
        Past::Booked | Past::Unarchived | Past::Forgotten => {
            let booking = booked(h, claim).await;
            let found = h.keeper.bookings().find(&h.pool, h.tenant, booking).await.unwrap().unwrap();
            found.claim.unwrap().as_uuid()
        }
        Past::Confirmed | Past::LetGo | Past::Held => {
            let held = hold(h, claim).await.id;
            match past {
                Past::Confirmed => assert_eq!(confirm_hold(h, held).await.outcome, Outcome::Confirmed),
                Past::LetGo => release(h, held).await,
                _ => expire(h, held).await,
            }
            held.as_uuid()
        }
        Past::Blackout => {
            let block = Block::new(h.tenant, claim);
            h.keeper.allocations().block(&h.pool, &block).await.unwrap().as_uuid()
        }
    };
    archived(h, id).await;
    match past {
        Past::Confirmed | Past::LetGo => {
            h.sql(&format!("DELETE FROM slotkeeper.holds WHERE id = '{id}'")).await;
        }
        Past::Unarchived => {
            h.sql(&format!("DELETE FROM slotkeeper.allocations_archive WHERE claim_id = '{id}'")).await;
        }
        Past::Forgotten => h.sql(&format!("DELETE FROM slotkeeper.bookings WHERE claim_id = '{id}'")).await,
        _ => {}
    }
    id
}

#[tokio::test]
async fn an_id_stays_taken_after_its_rows_were_archived() {
    let h = House::open().await;
    let (first, second) = (h.tables(2).await, h.tables(2).await);
    let mut from = 0;
    for was in PASTS {
        for how in TAKES {
            from += 30;
            let id = past(&h, was, &first, from).await;
            let refused = take(&h, how, id, &second, from).await.unwrap_err();
            let Error::KeyReused { field } = refused else { panic!("{was:?}, then {how:?}: {refused:?}") };
            let same = (was == Past::Held && is_hold(how)) || (was == Past::Blackout && !is_hold(how));
            assert_eq!(field == "operation", !same, "{was:?}, then {how:?}: {field}");
            assert_eq!(live(&h, id).await, 0, "{was:?}, then {how:?}");
        }
    }
    assert_eq!(h.overlaps().await, 0);
}

/// The blackout a repeat asks for was: it is neither made again nor taken for another.
#[tokio::test]
async fn repeating_a_block_after_its_rows_were_archived_answers_the_same() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let block = Block::new(h.tenant, all(&t, 0, 30));
    let blackout = h.keeper.allocations().block(&h.pool, &block).await.unwrap();
    archived(&h, blackout.as_uuid()).await;
    let before = h.digest().await;
    assert_eq!(h.keeper.allocations().block(&h.pool, &block).await.unwrap(), blackout);
    assert_eq!(h.digest().await, before);
}

/// No call places such a hold. Where one is nevertheless, repeating its confirm cannot help, and is not asked for.
#[tokio::test]
async fn a_hold_under_a_bookings_claim_is_a_defect_and_no_lost_race() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let id = past(&h, Past::Booked, &t, 0).await;
    let held = hold(&h, one(t[0], 60, 90)).await.id;
    h.sql(&format!(
        "UPDATE slotkeeper.holds SET id = '{id}' WHERE id = '{held}';
         UPDATE slotkeeper.allocations SET claim_id = '{id}' WHERE claim_id = '{held}'"
    ))
    .await;
    let before = h.digest().await;
    let ask = ConfirmHold::new(h.tenant, HoldId::from_uuid(id), fresh_key());
    for ask in [ask.clone(), ask.as_booking(slotkeeper::BookingId::generate())] {
        let refused = h.keeper.bookings().confirm(&h.pool, &ask).await.unwrap_err();
        assert!(matches!(refused, Error::Internal(_)), "{refused:?}");
        assert_eq!(refused.retry(), slotkeeper::Retry::Never);
    }
    assert_eq!(h.digest().await, before);
}
