//! Legacy rows that overlap others and wait for repair.

use super::common::*;

/// Outside the constraint, not outside the look.
#[tokio::test]
async fn a_shadow_row_refuses_every_claim_and_is_not_free() {
    let h = House::open().await;
    let t = h.tables(2).await;
    let mine = booked(&h, one(t[1], 0, 30)).await;
    h.sql(&format!(
        "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, shadow)
         SELECT tenant_id, gen_random_uuid(), id, '[2030-01-01 10:00Z,2030-01-01 10:30Z)', 'booked', gen_random_uuid(), true
           FROM slotkeeper.resources, generate_series(1, 2) WHERE id = '{}'",
        t[0]
    ))
    .await;
    let (a, w) = (h.keeper.allocations(), window(615, 645));
    assert!(!a.is_free(&h.pool, h.tenant, t[0], w).await.unwrap());
    assert_eq!(a.free_windows(&h.pool, h.tenant, t[0], w).await.unwrap(), [window(630, 645)]);
    assert_eq!(a.blockers(&h.pool, h.tenant, &Claim::one(t[0], w)).await.unwrap().len(), 2);
    assert_eq!(a.list_by_resource(&h.pool, h.tenant, t[0], w).await.unwrap().len(), 2);
    let old = hold(&h, one(t[0], 700, 730)).await;
    for claim in [Claim::one(t[0], w), all(&t, 615, 645)] {
        assert_eq!(refused_by(&try_hold(&h, claim.clone()).await).len(), 2);
        assert_eq!(named(&book(&h, claim.clone()).await).len(), 2);
        assert_eq!(named(&move_to(&h, mine, 1, claim.clone()).await).len(), 2);
        let replace = ReplaceHold::new(old.id, PlaceHold::new(h.tenant, claim.clone()));
        assert_eq!(refused_by(&h.keeper.holds().replace(&h.pool, &replace).await).len(), 2);
        assert!(a.block(&h.pool, &Block::new(h.tenant, claim)).await.is_err());
    }
    assert!(
        a.is_free(&h.pool, h.tenant, t[0], window(630, 660)).await.unwrap(),
        "beside it the resource is free"
    );
    assert_eq!(book(&h, one(t[0], 630, 660)).await.outcome, Outcome::Confirmed);
}
