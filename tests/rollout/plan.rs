//! The plan says what up does, and about how long it takes.

use std::time::{Duration, Instant};

use crate::support::{catalog, visits};
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Lock, ObjectKind, Pace, Plan, State, Up};

#[tokio::test]
async fn a_plan_lists_the_statements_of_the_way_up_changes_nothing_and_is_empty_after_it() {
    let (_database, mut client) = visits::clean().await;
    client.batch_execute("DROP EXTENSION btree_gist").await.unwrap();
    let guard = visits::full_guard().build().unwrap();
    let (before, session) = (catalog::writers(&client).await, catalog::session(&client).await);
    let plan = guard.plan(&mut client).await.unwrap();
    println!("{plan}");
    assert_eq!((catalog::writers(&client).await, catalog::session(&client).await), (before, session));
    assert!(plan.create_extension && plan.rows == 40, "{plan}");
    let locks: Vec<_> = plan.steps.iter().map(|step| (step.kind, step.lock, step.reads_rows)).collect();
    use Lock::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
    use ObjectKind::{Check, Column, Exclusion, Index, Reference, Unique, UniqueIndex};
    assert_eq!(
        locks,
        [
            (Column, AccessExclusive, false),
            (Check, AccessExclusive, false),
            (Check, ShareUpdateExclusive, true),
            (Reference, ShareRowExclusive, false),
            (Reference, ShareUpdateExclusive, true),
            (Check, AccessExclusive, false),
            (Check, ShareUpdateExclusive, true),
            (Unique, ShareUpdateExclusive, true),
            (Unique, AccessExclusive, false),
            (UniqueIndex, ShareUpdateExclusive, true),
            (Index, ShareUpdateExclusive, true),
            (Exclusion, AccessExclusive, true),
        ]
    );
    assert!(plan.steps.iter().all(|step| step.state == State::Missing
        && step.takes.is_some() != (step.kind == Reference && step.reads_rows)));
    // Run by hand, statement by statement, it is what up builds.
    client.batch_execute("CREATE EXTENSION btree_gist").await.unwrap();
    for step in &plan.steps {
        client.batch_execute(&step.sql).await.unwrap();
    }
    assert!(guard.verify(&mut client).await.unwrap().is_ok());
    let plan = guard.plan(&mut client).await.unwrap();
    assert_eq!(plan.steps, []);
}

#[tokio::test]
async fn a_plan_refuses_what_up_would_refuse_before_it_changes_anything() {
    let (_database, mut client) = visits::clean().await;
    let guard = visits::guard().check("c", "colour = 1").build().unwrap();
    let (table, rule, sqlstate) = ("app.visits".into(), "c".into(), "42703".into());
    assert_eq!(guard.plan(&mut client).await, Err(OpsError::Unevaluable { table, rule, sqlstate }));
}

fn exclusion(plan: &Plan) -> Duration {
    plan.steps.iter().find(|step| step.kind == ObjectKind::Exclusion).unwrap().takes.unwrap()
}

/// Seconds of processor time the session has used. What the clock says depends on who else is at work; that does not.
async fn processor(client: &tokio_postgres::Client) -> f64 {
    let sql = "SELECT (f[12]::float8 + f[13]::float8) / 100 FROM (SELECT string_to_array(
        substr(s, strpos(s, ') ') + 2), ' ') AS f FROM pg_read_file('/proc/' || pg_backend_pid() || '/stat') AS s) AS x";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

/// Of a machine that has nothing else to do. SLOTKEEPER_ROLLOUT_ROWS=100000,1000000
#[tokio::test]
#[ignore = "long: builds exclusions of up to a million rows"]
async fn the_estimate_of_an_exclusion_is_within_a_factor_of_two() {
    let sizes = std::env::var("SLOTKEEPER_ROLLOUT_ROWS").unwrap_or_else(|_| "100000,1000000".into());
    for rows in sizes.split(',').map(|rows| rows.parse::<u32>().unwrap()) {
        for order in ["n", "hashint4(n)"] {
            let (_database, mut client) = visits::clean().await;
            // 1,360 tables in 34 houses; written as time goes by, or in no order.
            let sql = format!(
                "ALTER TABLE app.visits DROP COLUMN note;
                 INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
                 SELECT 1000 + n, ('00000000-0000-0000-0000-0000000001' || lpad(((n % 1360) / 40)::text, 2, '0'))::uuid, n % 40,
                     timestamptz '2000-01-01' + (n / 1360) * interval '2 hours',
                     timestamptz '2000-01-01' + (n / 1360) * interval '2 hours' + interval '90 minutes', n
                 FROM generate_series(1, {rows}) AS n ORDER BY {order};
                 ANALYZE app.visits"
            );
            client.batch_execute(&sql).await.unwrap();
            let guard = slotkeeper::rollout::Guard::on("app", "visits")
                .tenant("restaurant_id")
                .live("status <> 'cancelled'")
                .no_overlap(
                    "excl",
                    &["table_id"],
                    slotkeeper::rollout::WindowColumns::bounds("starts_at", "ends_at").unwrap(),
                )
                .build()
                .unwrap();
            let (began, used) = (Instant::now(), processor(&client).await);
            let estimated = exclusion(&guard.plan(&mut client).await.unwrap()).as_secs_f64();
            let (planned, share) = (began.elapsed().as_secs_f64(), processor(&client).await - used);
            let used = processor(&client).await;
            let done = guard.up(&mut client, &Up::new().pace(Pace::new())).await.unwrap();
            let took = done.objects.last().unwrap().locked.as_secs_f64();
            let used = processor(&client).await - used;
            // The estimate as it would have been with a processor of our own.
            let ratio = estimated * (share / planned) / used;
            println!(
                "{rows} rows by {order}: estimated {estimated:.1} s in {planned:.1} s, took {took:.1} s: {:.2} by the \
                 clock, {ratio:.2} by processor time ({used:.1} s)",
                estimated / took
            );
            assert!((0.5..2.0).contains(&ratio), "{ratio}");
        }
    }
}
