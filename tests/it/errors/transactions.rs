//! What an error leaves of the caller's own transaction.

use slotkeeper::{Error, HoldId, Reference, hold::PlaceHold, hold::ReleaseHold};

use crate::support::*;

/// A refusal leaves it usable: what was written before stays, and the next call works.
#[tokio::test]
async fn a_refusal_leaves_the_transaction_usable() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, &h.keeper);
    let taken = || Reference::new("taken").unwrap();
    let first = PlaceHold::new(h.tenant, one(t[0], 0, 30)).reference(taken());
    k.holds().place(&h.pool, &first).await.unwrap();
    let mut client = h.db.client().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let refusals = [
        k.holds().place(&tx, &PlaceHold::new(h.tenant, one(t[0], 10, 20))).await.unwrap_err(),
        k.holds().place(&tx, &PlaceHold::new(h.tenant, all(&t, 10, 20))).await.unwrap_err(),
        k.holds()
            .place(&tx, &PlaceHold::new(h.tenant, one(t[1], 60, 90)).reference(taken()))
            .await
            .unwrap_err(),
        k.holds().release(&tx, &ReleaseHold::new(h.tenant, HoldId::generate())).await.unwrap_err(),
    ];
    let codes: Vec<_> = refusals.iter().map(Error::code).collect();
    assert_eq!(codes, ["conflict", "conflict", "reference_taken", "not_found"]);
    k.holds().place(&tx, &PlaceHold::new(h.tenant, one(t[1], 60, 90))).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(h.count("SELECT count(*) FROM slotkeeper.holds").await, 2);
}

/// An error that is no refusal may end it, where the statement ran without a savepoint; the next call says so.
#[tokio::test]
async fn an_error_that_is_no_refusal_may_end_the_transaction() {
    let h = House::open().await;
    let (t, k) = (h.tables(2).await, &h.keeper);
    h.sql("ALTER TABLE slotkeeper.holds ADD CONSTRAINT hosts_check CHECK (actor IS NOT NULL)").await;
    let mut client = h.db.client().await.unwrap();
    for (claim, usable) in [(one(t[0], 0, 30), false), (all(&t, 0, 30), true)] {
        let tx = client.transaction().await.unwrap();
        let error = k.holds().place(&tx, &PlaceHold::new(h.tenant, claim)).await.unwrap_err();
        assert!(matches!(error, Error::UnknownConstraint(_)), "{error:?}");
        let next = k.holds().find(&tx, h.tenant, HoldId::generate()).await;
        match next {
            Ok(None) => assert!(usable),
            Err(Error::TransactionAborted) => assert!(!usable),
            other => panic!("{other:?}"),
        }
        tx.rollback().await.unwrap();
    }
}
