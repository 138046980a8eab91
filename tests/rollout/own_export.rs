//! What a step down destroys is in a file first, and comes back whole.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::house;
use slotkeeper::{
    SchemaName, TenantId,
    migrate::{Down, Migrator, OpsError},
    rollout::{ArtifactError, Pace},
};
use tokio_postgres::Client;

/// A file of this test's own that goes with it.
struct Scrap(PathBuf);

impl Scrap {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("slotkeeper-{}.jsonl", uuid::Uuid::now_v7())))
    }

    fn numbered(&self, n: usize) -> PathBuf {
        self.0.with_extension(n.to_string())
    }
}

impl Drop for Scrap {
    fn drop(&mut self) {
        for n in 0..10 {
            let _ = std::fs::remove_file(self.numbered(n));
        }
    }
}

/// All the way down, a file a step.
async fn down(client: &mut Client, migrator: &Migrator, scrap: &Scrap) -> Vec<PathBuf> {
    let mut files = Vec::new();
    loop {
        let options = Down::new().export(scrap.numbered(files.len()));
        let Some(step) = migrator.down(client, options).await.unwrap() else { return files };
        files.push(step.exported.unwrap().path);
    }
}

async fn restore(client: &mut Client, migrator: &Migrator, files: &[PathBuf]) -> u64 {
    let mut restored = 0;
    for file in files.iter().rev() {
        let report = migrator.restore(client, file, &Pace::new().batch(7)).await.unwrap();
        assert_eq!((report.differing, report.restored + report.already), (0, report.rows));
        restored += report.restored;
    }
    restored
}

#[tokio::test]
async fn down_with_an_export_and_back_loses_nothing() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (migrator, scrap) = (Migrator::new(), Scrap::new());
    for tenant in [TenantId::SINGLE, TenantId::generate()] {
        house::fill(&client, tenant).await;
    }
    let before = house::digest(&client, "slotkeeper").await;
    let losses = migrator.losses(&mut client).await.unwrap();
    let files = down(&mut client, &migrator, &scrap).await;
    assert_eq!(migrator.status(&client).await.unwrap().pending().count(), files.len());
    // Nowhere to go yet: nothing is changed.
    assert!(matches!(
        migrator.restore(&mut client, &files[0], &Pace::new()).await,
        Err(OpsError::MissingTable { .. })
    ));
    migrator.up(&mut client).await.unwrap();
    let restored = restore(&mut client, &migrator, &files).await;
    assert!(restored >= losses.rows() && restored > 50, "{restored} rows, {losses}");
    assert_eq!(house::digest(&client, "slotkeeper").await, before);
    assert!(migrator.audit(&mut client).await.unwrap().is_clean());
    assert_eq!(restore(&mut client, &migrator, &files).await, 0, "once is enough");
}

#[tokio::test]
async fn a_step_that_cannot_write_its_file_destroys_nothing() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (migrator, scrap) = (Migrator::new(), Scrap::new());
    house::fill(&client, TenantId::SINGLE).await;
    let before = house::digest(&client, "slotkeeper").await;
    let nowhere = Down::new().export("/nowhere/at/all");
    let refused = migrator.down(&mut client, nowhere).await;
    assert!(matches!(refused, Err(OpsError::Artifact(ArtifactError::Io { .. }))), "{refused:?}");
    std::fs::write(scrap.numbered(0), "somebody's").unwrap();
    let refused = migrator.down(&mut client, Down::new().export(scrap.numbered(0))).await;
    assert!(matches!(refused, Err(OpsError::Artifact(ArtifactError::Exists { .. }))), "{refused:?}");
    assert_eq!(std::fs::read_to_string(scrap.numbered(0)).unwrap(), "somebody's");
    assert_eq!(house::digest(&client, "slotkeeper").await, before);

    // A host's table refers to ours, so the step fails after the file was written: there is none then.
    let last = migrator.migrations().last().unwrap();
    let dropped = last.down.lines().find_map(|line| line.strip_prefix("DROP TABLE ")).unwrap();
    let view = format!("CREATE VIEW mine AS SELECT tenant_id FROM {dropped}");
    client.batch_execute(&view).await.unwrap();
    let refused = migrator.down(&mut client, Down::new().export(scrap.numbered(1))).await;
    assert_eq!(refused, Err(OpsError::Database { sqlstate: Some("2BP01".into()) }));
    assert!(!scrap.numbered(1).exists());
    assert_eq!(house::digest(&client, "slotkeeper").await, before);
}

#[tokio::test]
async fn an_export_goes_back_to_its_own_schema_only() {
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (migrator, scrap) = (Migrator::new(), Scrap::new());
    house::fill(&client, TenantId::SINGLE).await;
    let files = down(&mut client, &migrator, &scrap).await;
    let other = Migrator::new().in_schema(SchemaName::new("other").unwrap());
    other.up(&mut client).await.unwrap();
    let refused = other.restore(&mut client, &files[0], &Pace::new()).await;
    assert!(matches!(refused, Err(OpsError::Artifact(ArtifactError::OtherTable { .. }))), "{refused:?}");
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&files[0], bytes).unwrap();
    migrator.up(&mut client).await.unwrap();
    let refused = migrator.restore(&mut client, &files[0], &Pace::new()).await;
    assert!(matches!(refused, Err(OpsError::Artifact(ArtifactError::Damaged { .. }))), "{refused:?}");
}

/// The library's migrations have to be quick enough for a deployment.
#[tokio::test]
async fn up_takes_less_than_a_second_and_down_less_than_five() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let (migrator, scrap) = (Migrator::new(), Scrap::new());
    let started = Instant::now();
    migrator.up(&mut client).await.unwrap();
    let up = started.elapsed();
    house::fill(&client, TenantId::SINGLE).await;
    let started = Instant::now();
    down(&mut client, &migrator, &scrap).await;
    let down = started.elapsed();
    println!("up {up:.1?}, down with an export {down:.1?}");
    // Ten times as long on a machine at work on other tests.
    assert!(up < Duration::from_secs(10) && down < Duration::from_secs(50), "{up:?} {down:?}");
}
