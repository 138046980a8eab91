//! A table of the host's, described in a file.

use std::path::Path;

use serde_json::json;
use slotkeeper::rollout::{Down, Up};

use crate::args::{Global, GuardCommand};
use crate::connect::connect;
use crate::failure::Failure;
use crate::guard_file;
use crate::output::{Outcome, lines};

/// Runs a command on it.
pub(crate) async fn run(global: &Global, file: &Path, command: &GuardCommand) -> Result<Outcome, Failure> {
    let guard = guard_file::read(file)?;
    let pace = global.pace();
    let mut client = connect().await?;
    let client = &mut client;
    match command {
        GuardCommand::Preflight => {
            let preflight = guard.preflight(client).await?;
            Outcome::of(&preflight, preflight.blocks() || !preflight.is_clean())
        }
        GuardCommand::Plan => {
            let plan = guard.plan(client).await?;
            Outcome::of(&plan, !plan.steps.is_empty())
        }
        GuardCommand::Quarantine(apply) => {
            let report = guard.quarantine(client, &apply.cleanup(pace)).await?;
            Outcome::of(&report, report.remains())
        }
        GuardCommand::Dedupe(apply) => {
            let report = guard.dedupe(client, &apply.cleanup(pace)).await?;
            Outcome::of(&report, report.remains())
        }
        GuardCommand::Restore { file } => {
            let restored = guard.restore(client, file, &pace).await?;
            Outcome::of(&restored, restored.differing > 0)
        }
        GuardCommand::Up => Outcome::of(&guard.up(client, &Up::new().pace(pace)).await?, false),
        GuardCommand::Verify { catalog_only } => {
            let verified =
                if *catalog_only { guard.verify(client).await } else { guard.verify_rows(client).await }?;
            Outcome::of(&verified, !verified.is_ok())
        }
        GuardCommand::Down { all, drop_shadow, forget_marks, dry_run } => {
            let down = Down::new().pace(pace).dry_run(*dry_run);
            let down = if *all || *drop_shadow { down.all() } else { down };
            let down = down.dropping_column(*drop_shadow).forgetting_marks(*forget_marks);
            Outcome::of(&guard.down(client, &down).await?, false)
        }
        GuardCommand::Observe { tenant } => {
            let mode = guard.mode(client, tenant).await?;
            let refused = guard.would_refuse(client, tenant).await?;
            let found = refused.iter().any(|rule| rule.rows > 0);
            let figures = json!({"mode": mode, "would_refuse": refused});
            Outcome::new(format!("{mode}\n{}", lines(&refused)), &figures, found)
        }
        GuardCommand::Enforce { tenant } => Outcome::of(&guard.enforce(client, tenant, &pace).await?, false),
        GuardCommand::Release { tenant } => Outcome::of(&guard.release(client, tenant, &pace).await?, false),
    }
}
