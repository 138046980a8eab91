//! One tenant first, then all.

use crate::support::visits::{self, TENANT_A, TENANT_B};
use slotkeeper::constraint_map::ConstraintMap;
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Guard, Mode, Pace, Up, WindowColumns};

const OVERLAP: &str =
    "UPDATE app.visits SET table_id = 1, starts_at = '2030-01-01Z', ends_at = '2030-01-01 02:00Z'";

#[tokio::test]
async fn a_tenant_is_observed_then_enforced_then_all_are() {
    let (_database, mut client) = visits::clean().await;
    let (guard, pace) = (visits::guard().build().unwrap(), Pace::new());
    // Rows 1 to 20 are A's, the rest are B's; of each tenant three more share the place of one.
    client.batch_execute(&format!("{OVERLAP} WHERE id IN (3, 4, 5, 23, 24, 25)")).await.unwrap();
    let would: Vec<_> = guard.would_refuse(&mut client, TENANT_A).await.unwrap();
    let would: Vec<_> = would.iter().map(ToString::to_string).collect();
    assert_eq!(
        would,
        [
            "visits_table_window_excl: 3 rows (overlap)",
            "visits_table_window_excl_window: 0 rows (invalid window)"
        ]
    );
    assert_eq!(guard.mode(&mut client, TENANT_A).await.unwrap(), Mode::Observed);
    let error = guard.enforce(&mut client, TENANT_A, &pace).await.unwrap_err();
    assert!(matches!(error, OpsError::StillViolated { .. }), "{error}");

    client.batch_execute("DELETE FROM app.visits WHERE id IN (3, 4, 5)").await.unwrap();
    assert!(guard.enforce(&mut client, &TENANT_A.to_uppercase(), &pace).await.unwrap().changed());
    assert!(!guard.enforce(&mut client, TENANT_A, &pace).await.unwrap().changed());
    assert_eq!(guard.mode(&mut client, TENANT_A).await.unwrap(), Mode::Enforced);
    assert_eq!(guard.mode(&mut client, TENANT_B).await.unwrap(), Mode::Observed);
    // A's rows are refused, by a constraint the host's map knows for the rule; B's are not.
    let map = ConstraintMap::builder()
        .guard(&guard, "visits_table_window_excl", |_| "taken")
        .guard(&guard, "visits_table_window_excl_window", |_| "no window")
        .build()
        .unwrap();
    let error = client.batch_execute(&format!("{OVERLAP} WHERE id = 7")).await.unwrap_err();
    assert_eq!(map.map(error).unwrap(), "taken");
    let error = client.batch_execute("UPDATE app.visits SET ends_at = NULL WHERE id = 7").await.unwrap_err();
    assert_eq!(map.map(error).unwrap(), "no window");
    client.batch_execute(&format!("{OVERLAP} WHERE id = 27")).await.unwrap();

    // All: refused as long as B's rows overlap, and A stays protected meanwhile.
    guard.up(&mut client, &Up::new()).await.unwrap_err();
    assert_eq!(guard.mode(&mut client, TENANT_A).await.unwrap(), Mode::Enforced);
    client.batch_execute("DELETE FROM app.visits WHERE id IN (23, 24, 25, 27)").await.unwrap();
    let done = guard.up(&mut client, &Up::new()).await.unwrap();
    assert_eq!(done.retired.len(), 2, "{done}");
    for tenant in [TENANT_A, TENANT_B] {
        assert_eq!(guard.mode(&mut client, tenant).await.unwrap(), Mode::EnforcedForAll);
    }
    let error = client.batch_execute(&format!("{OVERLAP} WHERE id = 30")).await.unwrap_err();
    assert_eq!(map.map(error).unwrap(), "taken");
}

#[tokio::test]
async fn enforcing_can_be_taken_back_and_down_takes_it_along() {
    let (_database, mut client) = visits::clean().await;
    let (guard, pace) = (visits::guard().build().unwrap(), Pace::new());
    guard.enforce(&mut client, TENANT_A, &pace).await.unwrap();
    let back = guard.release(&mut client, TENANT_A, &pace).await.unwrap();
    assert_eq!(back.objects.len(), 2, "{back}");
    assert_eq!(guard.mode(&mut client, TENANT_A).await.unwrap(), Mode::Observed);
    guard.enforce(&mut client, TENANT_B, &pace).await.unwrap();
    let back = guard.down(&mut client, &slotkeeper::rollout::Down::new().all()).await.unwrap();
    assert_eq!(back.objects.len(), 2, "{back}");
}

#[tokio::test]
async fn a_tenants_name_is_data_whatever_it_says() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let odd = r#"'; DROP TABLE app.rooms; -- \' $$ "O'Neill""#;
    client
        .batch_execute(
            "CREATE SCHEMA app; CREATE TABLE app.rooms (id integer PRIMARY KEY, house varchar(60) NOT NULL,
             room integer, during tstzrange)",
        )
        .await
        .unwrap();
    let guard = Guard::on("app", "rooms")
        .tenant("house")
        .no_overlap("rooms_excl", &["room"], WindowColumns::range("during").unwrap())
        .build()
        .unwrap();
    guard.enforce(&mut client, odd, &Pace::new()).await.unwrap();
    assert_eq!(guard.mode(&mut client, odd).await.unwrap(), Mode::Enforced);
    let insert =
        "INSERT INTO app.rooms (id, house, room, during) VALUES ($1, $2, 1, '[2030-01-01,2030-01-02)')";
    client.execute(insert, &[&1, &odd]).await.unwrap();
    client.execute(insert, &[&2, &"plain"]).await.unwrap();
    client.execute(insert, &[&3, &"plain"]).await.unwrap();
    client.execute(insert, &[&4, &odd]).await.unwrap_err();
    let error = visits::guard().build().unwrap().enforce(&mut client, "x", &Pace::new()).await.unwrap_err();
    assert_eq!(error, OpsError::MissingTable { table: "app.visits".into() });
}

#[tokio::test]
async fn without_a_tenant_or_with_no_value_of_its_type_there_is_nobody_to_enforce() {
    let (_database, mut client) = visits::clean().await;
    let no_tenant = OpsError::NoTenant { table: "app.visits".into() };
    let guard = visits::guard().build().unwrap();
    assert_eq!(guard.enforce(&mut client, "not a uuid", &Pace::new()).await, Err(no_tenant.clone()));
    let window = WindowColumns::bounds("starts_at", "ends_at").unwrap();
    let guard = Guard::on("app", "visits").no_overlap("x", &["table_id"], window).build().unwrap();
    assert_eq!(guard.enforce(&mut client, TENANT_A, &Pace::new()).await, Err(no_tenant));
}

#[test]
fn a_map_knows_the_rules_of_its_guard_only() {
    let guard = visits::guard().build().unwrap();
    let map = ConstraintMap::builder().guard(&guard, "visits_window_excl", |_| ()).build();
    assert_eq!(
        map.unwrap_err().to_string(),
        "rule 1 of the constraint map has an empty name, or one that its guard does not know"
    );
}
