//! Rows that have to stay: referred to by the host, or in the archive already.

use super::*;
use crate::claims::common::{hold, release};
use slotkeeper::hold::PlaceHold;
use uuid::Uuid;

/// Twelve past bookings of one resource.
async fn house() -> House {
    let h = House::open().await;
    let table = h.table().await;
    for n in 0..12 {
        booked(&h, one(table, n * 10, n * 10 + 10)).await;
    }
    age(&h).await;
    h
}

async fn ids(h: &House, table: &str) -> Vec<Uuid> {
    let query = format!("SELECT id FROM slotkeeper.{table} ORDER BY id");
    h.db.client().await.unwrap().query(&query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// A table of the host's that refers to these rows.
async fn refer(h: &House, table: &str, rows: &[Uuid], action: &str) {
    h.sql(&format!(
        "CREATE TABLE public.visits (tenant uuid, subject uuid, CONSTRAINT visits_subject_fkey
             FOREIGN KEY (tenant, subject) REFERENCES slotkeeper.{table} (tenant_id, id) {action})"
    ))
    .await;
    let client = h.db.client().await.unwrap();
    let insert = "INSERT INTO public.visits SELECT $1, unnest($2::uuid[])";
    client.execute(insert, &[&h.tenant, &rows]).await.unwrap();
}

#[tokio::test]
async fn rows_that_a_host_refers_to_are_set_aside_and_the_rest_goes_on() {
    // The last one gives way, but its own table does not let it.
    let actions = ["", "ON DELETE RESTRICT", "DEFERRABLE", "ON DELETE SET NULL, CHECK (subject IS NOT NULL)"];
    for action in actions {
        let table = "allocations";
        let h = house().await;
        let all = ids(&h, table).await;
        let poison = [all[0], all[5], all[6], all[11]];
        refer(&h, table, &poison, action).await;
        let before = everywhere(&h).await;
        let done = archive(&h, batch(&h)).await;
        assert_eq!((done.rows, done.next), (8, None), "{action}");
        assert_eq!(done.set_aside, poison, "{action}");
        assert_eq!(everywhere(&h).await, before);
        assert_eq!(ids(&h, table).await, poison);
        // Again nothing but the same news; and once nobody refers to them, they go.
        assert_eq!(archive(&h, batch(&h)).await.set_aside, poison);
        h.sql("DELETE FROM public.visits").await;
        assert_eq!(archive(&h, batch(&h)).await.rows, 4);
    }
}

/// Of every table that retention deletes from.
#[tokio::test]
async fn so_are_holds_bookings_and_confirmations() {
    for table in ["holds", "bookings", "confirmations"] {
        let h = House::open().await;
        let resource = h.table().await;
        for n in 0..5 {
            booked(&h, one(resource, n * 10, n * 10 + 10)).await;
            let refused = book(&h, one(resource, n * 10, n * 10 + 10)).await;
            assert!(!refused.outcome.is_success());
            let let_go = hold(&h, one(resource, 600, 630)).await;
            release(&h, let_go.id).await;
        }
        age(&h).await;
        let retention = h.keeper.retention();
        if table != "holds" {
            retention.prune_holds(&h.pool, &batch(&h)).await.unwrap();
            archive(&h, batch(&h)).await;
        }
        if table == "confirmations" {
            assert_eq!(retention.prune_bookings(&h.pool, &batch(&h)).await.unwrap().rows, 5);
        }
        let all = ids(&h, table).await;
        let poison = [all[1], all[4]];
        refer(&h, table, &poison, "").await;
        let done = match table {
            "holds" => retention.prune_holds(&h.pool, &batch(&h)).await.unwrap(),
            "bookings" => retention.prune_bookings(&h.pool, &batch(&h)).await.unwrap(),
            _ => retention.prune_confirmations(&h.pool, &batch(&h)).await.unwrap(),
        };
        assert_eq!((done.rows as usize, &done.set_aside[..]), (all.len() - 2, &poison[..]), "{table}");
        assert_eq!(ids(&h, table).await, poison, "{table}");
    }
}

#[tokio::test]
async fn a_row_whose_id_the_archive_has_is_set_aside_and_neither_is_lost() {
    let h = house().await;
    let all = ids(&h, "allocations").await;
    h.sql(&format!(
        "INSERT INTO slotkeeper.allocations_archive
         SELECT tenant_id, id, resource_id, during, 'external', claim_id, expires_at, released_at, shadow, shadowed_at, created_at, now()
           FROM slotkeeper.allocations WHERE id IN ('{}', '{}')",
        all[3], all[9]
    ))
    .await;
    let before = everywhere(&h).await;
    let done = archive(&h, batch(&h)).await;
    assert_eq!((done.rows, &done.set_aside[..]), (10, &[all[3], all[9]][..]));
    assert_eq!(everywhere(&h).await, before);
}

/// Batches full of rows that cannot go do not keep the others from going.
#[tokio::test]
async fn a_batch_of_nothing_but_poison_is_passed() {
    let h = house().await;
    let all = ids(&h, "allocations").await;
    refer(&h, "allocations", &all[..7], "").await;
    let first = archive(&h, batch(&h).limit(3).unwrap()).await;
    assert_eq!((first.rows, first.next), (0, Some(all[2])));
    let mut batch = batch(&h).limit(3).unwrap();
    let mut rows = 0;
    let mut aside = Vec::new();
    loop {
        let done = archive(&h, batch).await;
        rows += done.rows;
        aside.extend(done.set_aside);
        let Some(next) = done.next else { break };
        batch = batch.after(next);
    }
    assert_eq!((rows, aside), (5, all[..7].to_vec()));
}

#[tokio::test]
async fn in_a_transaction_of_the_callers_it_stays_usable_and_all_of_it_can_be_undone() {
    let h = house().await;
    let all = ids(&h, "allocations").await;
    refer(&h, "allocations", &all[4..6], "").await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let done = h.keeper.retention().archive_allocations(&tx, &batch(&h)).await.unwrap();
    assert_eq!((done.rows, &done.set_aside[..]), (10, &all[4..6]));
    let place = PlaceHold::new(h.tenant, one(h.table().await, 0, 30));
    h.keeper.holds().place(&tx, &place).await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(ids(&h, "allocations").await, all);
}

/// What the host declared is the host's word.
#[tokio::test]
async fn a_reference_that_gives_way_does() {
    let h = house().await;
    let all = ids(&h, "allocations").await;
    refer(&h, "allocations", &all[..2], "ON DELETE CASCADE").await;
    assert_eq!(archive(&h, batch(&h)).await.rows, 12);
    assert_eq!(h.count("SELECT count(*) FROM public.visits").await, 0);
}

/// A row that somebody has locked is left for the next batch; nothing waits.
#[tokio::test]
async fn a_row_in_use_is_passed_over() {
    let h = house().await;
    let all = ids(&h, "allocations").await;
    let mut client = h.pool.get().await.unwrap();
    let tx = client.transaction().await.unwrap();
    let lock = "SELECT FROM slotkeeper.allocations WHERE id = $1 FOR UPDATE";
    tx.query(lock, &[&all[3]]).await.unwrap();
    let done = archive(&h, batch(&h)).await;
    assert_eq!((done.rows, done.set_aside.len()), (11, 0));
    tx.rollback().await.unwrap();
    assert_eq!(archive(&h, batch(&h)).await.rows, 1);
}
