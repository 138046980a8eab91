//! The library's own tables.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::json;
use slotkeeper::SchemaName;
use slotkeeper::migrate::{Applied, Audit, CeremonyOptions, Down, Migrator, OpsError, Repair, Status};
use tokio_postgres::Client;

use crate::args::{Command, Global};
use crate::connect::connect;
use crate::failure::Failure;
use crate::output::{Outcome, lines};

/// Runs a command on our tables.
pub(crate) async fn run(global: &Global, command: &Command) -> Result<Outcome, Failure> {
    let migrator = migrator(global)?;
    let pace = global.pace();
    let mut client = connect().await?;
    let client = &mut client;
    match command {
        Command::Status => status(&migrator.status(client).await?),
        Command::Plan => {
            let plan = migrator.plan(client).await?;
            let mut text = plan.to_string();
            for statement in plan.steps.iter().flat_map(|step| &step.statements) {
                // Cannot fail because writing to a string does not.
                let _ = write!(text, "\n{};\n", statement.trim());
            }
            Outcome::new(text, &plan, !plan.steps.is_empty())
        }
        Command::Preflight => {
            let preflight = migrator.preflight(client).await?;
            Outcome::of(&preflight, preflight.blocks() || !preflight.is_clean())
        }
        Command::Up => steps("applied", &migrator.up(client).await?),
        Command::Verify { catalog_only, role, duties } => {
            let migrator = match role {
                Some(role) => migrator.for_role(duties.of(role)),
                None => migrator,
            };
            verify(&migrator, client, *catalog_only).await
        }
        Command::Grants { role, duties } => {
            Outcome::of(&migrator.grants(client, &duties.of(role)).await?, false)
        }
        Command::Repair { apply } => {
            let repair = Repair::dry_run().pace(pace);
            let repaired = migrator.repair(client, &if *apply { repair.apply() } else { repair }).await?;
            let found = !repaired.skipped.is_empty() || !repaired.applied && !repaired.repaired.is_empty();
            Outcome::of(&repaired, found)
        }
        Command::Down { export, destroy_data } => {
            down(&migrator, client, export.as_deref(), *destroy_data).await
        }
        Command::Quarantine(apply) => {
            let report = migrator.quarantine(client, &apply.cleanup(pace)).await?;
            Outcome::of(&report, report.remains())
        }
        Command::Dedupe(apply) => {
            let report = migrator.dedupe(client, &apply.cleanup(pace)).await?;
            let remains = report.iter().any(slotkeeper::rollout::CleanupReport::remains);
            Outcome::new(lines(&report), &json!({ "tables": report }), remains)
        }
        Command::Restore { file } => {
            let restored = migrator.restore(client, file, &pace).await?;
            Outcome::of(&restored, restored.differing > 0)
        }
        Command::Ceremony { report, rows } => ceremony(&migrator, client, report.as_deref(), *rows).await,
        Command::Guard { .. } => Err(Failure::new("a guard has commands of its own")),
    }
}

fn migrator(global: &Global) -> Result<Migrator, Failure> {
    let schema = SchemaName::new(&global.schema).map_err(|error| Failure::new(error.to_string()))?;
    let migrator = Migrator::new().in_schema(schema);
    Ok(match global.lock_timeout {
        Some(millis) => migrator.lock_timeout(Duration::from_millis(millis)),
        None => migrator,
    })
}

fn status(status: &Status) -> Result<Outcome, Failure> {
    let mut text = String::new();
    for m in &status.migrations {
        let state = match (m.applied_at, m.known, m.changed) {
            (Some(at), true, false) => format!("applied {}", at.format("%Y-%m-%d %H:%M:%S UTC")),
            (Some(_), true, true) => "applied with another text".to_owned(),
            (Some(_), false, _) => "applied, unknown to this release".to_owned(),
            (None, ..) => "pending".to_owned(),
        };
        // Cannot fail because writing to a string does not.
        let _ = writeln!(text, "{:04} {:<24} {state}", m.version, m.name);
    }
    let figures = status.migrations.iter().map(|m| {
        json!({"version": m.version, "name": m.name, "applied_at": m.applied_at, "known": m.known, "changed": m.changed})
    });
    Outcome::new(text, &json!({ "migrations": figures.collect::<Vec<_>>() }), !status.is_current())
}

fn steps(done: &str, steps: &[Applied]) -> Result<Outcome, Failure> {
    let line =
        |step: &Applied| format!("{done} {:04} {} in {:.2?}\n", step.version, step.name, step.duration);
    let text = if steps.is_empty() { "nothing to do".to_owned() } else { steps.iter().map(line).collect() };
    Outcome::new(text, &json!({ "steps": steps }), false)
}

async fn verify(migrator: &Migrator, client: &mut Client, catalog_only: bool) -> Result<Outcome, Failure> {
    #[derive(Serialize)]
    struct Verified<C, A> {
        catalog: C,
        rows: Option<A>,
    }
    let catalog = migrator.verify(client).await?;
    let rows = if catalog_only { None } else { audit(migrator, client).await? };
    let mut text = catalog.to_string();
    match &rows {
        Some(audit) => text.push_str(&audit.to_string()),
        None if !catalog_only => {
            text.push_str("the rows were not looked at: tables or columns are missing\n")
        }
        None => {}
    }
    let fits = catalog.is_ok() && catalog.role_fits();
    let found = !fits || rows.as_ref().is_some_and(|audit| !audit.is_clean());
    Outcome::new(text, &Verified { catalog, rows }, found)
}

/// `None` if tables or columns are missing, which the catalog's part of the report names.
async fn audit(migrator: &Migrator, client: &mut Client) -> Result<Option<Audit>, OpsError> {
    match migrator.audit(client).await {
        Err(OpsError::MissingTable { .. } | OpsError::MissingColumn { .. }) => Ok(None),
        audit => audit.map(Some),
    }
}

async fn down(
    migrator: &Migrator,
    client: &mut Client,
    export: Option<&Path>,
    destroy_data: bool,
) -> Result<Outcome, Failure> {
    if export.is_none() && !destroy_data {
        let losses = migrator.losses(client).await?;
        if losses.rows() > 0 {
            let text = losses.to_string();
            return Err(Failure::new(format!(
                "{}\nkeep these rows with --export FILE, or give them up with --destroy-data",
                text.trim_end()
            )));
        }
    }
    let options = match export {
        Some(file) => Down::new().export(file),
        None => Down::new().destroying_data(destroy_data),
    };
    let step = migrator.down(client, options).await?;
    steps("took back", step.as_slice())
}

async fn ceremony(
    migrator: &Migrator,
    client: &mut Client,
    report: Option<&Path>,
    rows: u64,
) -> Result<Outcome, Failure> {
    let unwritable = |error: std::io::Error| Failure::new(format!("the report cannot be written: {error}"));
    if let Some(folder) = report {
        // Before anything is done: without its report a ceremony would prove nothing.
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    let ceremony = migrator.ceremony(client, &CeremonyOptions::new().rows(rows)).await;
    if let Some(folder) = report {
        write_private(&folder.join("ceremony.md"), &ceremony.to_string()).map_err(unwritable)?;
        let json =
            serde_json::to_string_pretty(&ceremony).map_err(|error| Failure::new(error.to_string()))?;
        write_private(&folder.join("ceremony.json"), &json).map_err(unwritable)?;
    }
    Outcome::of(&ceremony, !ceremony.passed())
}

/// The report names tenants and keys of rows.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}
