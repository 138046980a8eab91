//! The ceremony passes on a healthy house, stops at the first thing that is wrong, and leaves nothing behind.

use std::path::PathBuf;

use crate::support::house;
use slotkeeper::{
    TenantId,
    migrate::{Ceremony, CeremonyOptions, Migrator, OpsError},
};
use tokio_postgres::Client;

/// A folder of this test's own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("slotkeeper-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn options(&self) -> CeremonyOptions {
        CeremonyOptions::new().folder(&self.0)
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn names(ceremony: &Ceremony) -> Vec<&str> {
    ceremony.steps.iter().map(|step| step.name).collect()
}

async fn has_scratch(client: &Client) -> bool {
    let sql = "SELECT to_regnamespace('slotkeeper_drill') IS NOT NULL";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

const ALL: [&str; 7] = ["preflight", "plan", "up", "verify", "audit", "up again", "drill"];

#[tokio::test]
async fn an_empty_database_is_rolled_out_with_all_steps() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let folder = Folder::new();
    let ceremony = Migrator::new().ceremony(&mut client, &folder.options()).await;
    assert!(ceremony.passed(), "{ceremony}");
    assert_eq!(names(&ceremony), ALL);
    assert!(folder.is_empty() && !has_scratch(&client).await);
    assert!(Migrator::new().status(&client).await.unwrap().is_current());
}

#[tokio::test]
async fn a_house_in_use_is_read_only_and_comes_back_whole_from_the_drill() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let folder = Folder::new();
    for tenant in [TenantId::SINGLE, TenantId::generate()] {
        house::fill(&client, tenant).await;
    }
    let before = house::digest(&client, "slotkeeper").await;
    // Somebody writes meanwhile, and holds what a writer holds: nobody waits for anybody.
    let writer = database.client().await.unwrap();
    let tables = "resources, holds, allocations, bookings, confirmations, outbox";
    let lock = tables.split(", ").map(|table| format!("LOCK slotkeeper.{table} IN ROW EXCLUSIVE MODE;"));
    writer.batch_execute(&format!("BEGIN; {}", lock.collect::<String>())).await.unwrap();
    let ceremony = Migrator::new().ceremony(&mut client, &folder.options()).await;
    writer.batch_execute("COMMIT").await.unwrap();
    println!("{ceremony}");
    assert!(ceremony.passed(), "{ceremony}");
    assert_eq!(house::digest(&client, "slotkeeper").await, before);
    assert!(folder.is_empty() && !has_scratch(&client).await);
    let json = serde_json::to_value(&ceremony).unwrap();
    let drill = &json["steps"][6]["detail"];
    assert_eq!((&drill["tenants"], &drill["restored"]), (&2.into(), &drill["rows"]), "{json}");
    assert!(drill["rows"].as_u64().unwrap() > 100);
    let markdown = ceremony.to_string();
    assert!(markdown.starts_with("# Rollout of slotkeeper") && markdown.contains("| drill | passed |"));

    // A sample says that it is one.
    let sample = Migrator::new().ceremony(&mut client, &folder.options().rows(1)).await;
    assert!(sample.passed(), "{sample}");
    assert!(sample.steps[6].page.contains("1 of 2 tenants, a sample"), "{sample}");
}

#[tokio::test]
async fn it_stops_at_the_first_thing_that_is_wrong_and_says_so() {
    for (damage, last, text) in [
        (
            "ALTER TABLE slotkeeper.resources DROP CONSTRAINT resources_capacity_check;
             UPDATE slotkeeper.resources SET capacity = 0",
            "preflight",
            "resources_capacity_check",
        ),
        (
            "UPDATE slotkeeper.migrations SET checksum = 'x'",
            "plan",
            "migration 1 was applied with another text",
        ),
        (
            "ALTER TABLE slotkeeper.holds DROP CONSTRAINT holds_claimed_check",
            "verify",
            "constraint holds.holds_claimed_check is missing",
        ),
        (
            "DELETE FROM slotkeeper.confirmations WHERE outcome = 'moved'",
            "audit",
            "booking_decisions: 1 rows",
        ),
        ("CREATE SCHEMA slotkeeper_drill", "drill", "is no scratch copy"),
    ] {
        let database = kit::database().await.unwrap();
        let mut client = database.client().await.unwrap();
        let folder = Folder::new();
        house::fill(&client, TenantId::SINGLE).await;
        client.batch_execute(damage).await.unwrap();
        let ceremony = Migrator::new().ceremony(&mut client, &folder.options()).await;
        let stopped = ceremony.stopped().unwrap_or_else(|| panic!("{damage}\n{ceremony}"));
        assert_eq!(stopped.name, last, "{damage}\n{ceremony}");
        assert!(stopped.page.contains(text), "{damage}\n{ceremony}");
        assert_eq!(names(&ceremony).last(), Some(&last), "nothing is done after it");
        assert!(!ceremony.passed() && ceremony.to_string().contains(&format!("**Stopped at {last}**")));
        assert!(folder.is_empty());
    }
}

#[tokio::test]
async fn the_scratch_copy_goes_when_the_drill_fails_and_a_killed_one_is_swept() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let folder = Folder::new();
    house::fill(&client, TenantId::SINGLE).await;
    // The exports cannot be written, so the drill fails half way.
    let nowhere = CeremonyOptions::new().folder("/nowhere/at/all");
    let ceremony = Migrator::new().ceremony(&mut client, &nowhere).await;
    assert_eq!(ceremony.stopped().map(|step| step.name), Some("drill"), "{ceremony}");
    assert!(!has_scratch(&client).await);

    // A run that ends in the middle leaves its copy behind; the next one sweeps it.
    let mut left = false;
    for millis in (100..3000).step_by(100) {
        let mut killed = database.client().await.unwrap();
        let migrator = Migrator::new();
        let options = folder.options();
        let run = migrator.ceremony(&mut killed, &options);
        let ended = tokio::time::timeout(std::time::Duration::from_millis(millis), run).await;
        assert!(ended.is_err(), "it never was in the middle");
        drop(killed);
        left = has_scratch(&client).await;
        if left {
            break;
        }
    }
    assert!(left);
    let ceremony = Migrator::new().ceremony(&mut client, &folder.options()).await;
    assert!(ceremony.passed(), "{ceremony}");
    assert!(folder.is_empty() && !has_scratch(&client).await);
    let text = OpsError::ScratchTaken { schema: slotkeeper::SchemaName::default() }.to_string();
    assert_eq!(text, "schema slotkeeper is there, and is no scratch copy");
}
