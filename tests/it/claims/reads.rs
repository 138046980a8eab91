//! What the reads say, against the truth kept in memory.

use super::common::*;

/// Live windows of one resource, in minutes; disjoint, as the constraint keeps them.
type Truth = Vec<(i64, i64)>;

/// Random live rows with random expired holds between and on the places they leave; `front` more of them in front.
async fn furnish(h: &House, table: ResourceId, dice: &mut Dice, front: i64) -> Truth {
    let (mut truth, mut rows, mut from) = (Truth::new(), Vec::new(), 0);
    while from < 600 {
        let (gap, length) = (dice.below(20) as i64, 1 + dice.below(20) as i64);
        let (start, end) = (from + gap, from + gap + length);
        // An expired hold occupies its row until somebody takes it over, and nothing else.
        match dice.below(3) {
            0 => rows.push((start, end, "'held', now() - interval '1 ms'")),
            1 => {
                truth.push((start, end));
                rows.push((start, end, "'held', now() + interval '1 hour'"));
            }
            _ => {
                truth.push((start, end));
                rows.push((start, end, "'booked', NULL"));
            }
        }
        from = end;
    }
    // One long live row, and expired holds behind its start: each of them starts later than the row that blocks.
    truth.push((1_000, 10_000));
    rows.push((1_000, 10_000, "'booked', NULL"));
    let values: Vec<_> = rows.iter().map(|(start, end, rest)| format!("({start}, {end}, {rest})")).collect();
    let insert = |values: String| {
        format!(
            "INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id, expires_at)
             SELECT '{}', gen_random_uuid(), '{table}', tstzrange(timestamptz '2030-01-01Z' + a * interval '1 min',
                    timestamptz '2030-01-01Z' + b * interval '1 min'), k, gen_random_uuid(), e FROM {values}",
            h.tenant
        )
    };
    h.sql(&insert(format!("(VALUES {}) AS v (a, b, k, e)", values.join(", ")))).await;
    let many = format!(
        "(SELECT 10000 + n, 10001 + n, 'held', now() - interval '1 ms' FROM generate_series(0, {front} - 1) n) AS v (a, b, k, e)"
    );
    h.sql(&insert(many)).await;
    truth
}

fn free_in(truth: &Truth, from: i64, to: i64) -> Vec<Window> {
    let (mut free, mut start) = (Vec::new(), from);
    for &(a, b) in truth.iter().filter(|(a, b)| *a < to && from < *b) {
        if start < a {
            free.push(window(start, a));
        }
        start = b;
    }
    if start < to {
        free.push(window(start, to));
    }
    free
}

/// All four reads about one window agree with the truth, and so with each other.
async fn agree(h: &House, table: ResourceId, truth: &Truth, from: i64, to: i64) {
    let (a, w) = (h.keeper.allocations(), window(from, to));
    let occupied: Vec<Window> =
        truth.iter().map(|&(a, b)| window(a, b)).filter(|taken| taken.overlaps(&w)).collect();
    let free = a.is_free(&h.pool, h.tenant, table, w).await.unwrap();
    assert_eq!(free, occupied.is_empty(), "is_free {from}..{to}");
    let windows = a.free_windows(&h.pool, h.tenant, table, w).await.unwrap();
    assert_eq!(windows, free_in(truth, from, to), "free_windows {from}..{to}");
    let rows = a.list_by_resource(&h.pool, h.tenant, table, w).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| row.window).collect::<Vec<_>>(),
        occupied,
        "list_by_resource {from}..{to}"
    );
    let blockers = a.blockers(&h.pool, h.tenant, &Claim::one(table, w)).await.unwrap();
    let named: Vec<_> = blockers.iter().filter_map(|blocker| blocker.allocation).collect();
    assert_eq!(named, rows.iter().take(64).map(|row| row.id).collect::<Vec<_>>(), "blockers {from}..{to}");
    for (blocker, row) in blockers.iter().zip(&rows) {
        assert_eq!(Some(blocker.overlap), row.window.intersection(&w));
    }
}

/// An expired hold in front must not hide a live row.
#[tokio::test]
async fn reads_tell_the_truth_behind_any_number_of_expired_holds() {
    let h = House::open().await;
    let mut dice = Dice::new(7);
    for front in [0, 10, 1_000] {
        let table = h.table().await;
        let truth = furnish(&h, table, &mut dice, front).await;
        for _ in 0..70 {
            let from = dice.below(650) as i64;
            agree(&h, table, &truth, from, from + 1 + dice.below(90) as i64).await;
        }
        // From inside the long row to behind the last expired hold: the only candidate is far back.
        for (from, to) in
            [(9_990, 10_000 + front + 5), (9_999, 10_001), (10_000, 10_000 + front + 5), (0, 12_000)]
        {
            agree(&h, table, &truth, from, to).await;
        }
    }
}

/// The negative control: the probe with its expiry filter outside is fooled by one expired hold in front.
#[tokio::test]
async fn a_probe_that_filters_too_late_is_fooled() {
    let h = House::open().await;
    let table = h.table().await;
    let fooled = format!(
        "SELECT count(*) FROM (SELECT during, expires_at FROM slotkeeper.allocations WHERE resource_id = '{table}'
            AND lower(during) < '2030-01-01 12:00Z' ORDER BY lower(during) DESC LIMIT 1) last
          WHERE during && '[2030-01-01 11:00Z,2030-01-01 12:00Z)' AND (expires_at IS NULL OR expires_at > now())"
    );
    booked(&h, one(table, 600, 670)).await;
    assert_eq!(h.count(&fooled).await, 1);
    let old = hold(&h, one(table, 670, 680)).await;
    expire(&h, old.id).await;
    assert_eq!(h.count(&fooled).await, 0, "hidden");
    assert!(!h.keeper.allocations().is_free(&h.pool, h.tenant, table, window(660, 720)).await.unwrap());
}
