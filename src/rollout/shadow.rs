//! The column that marks quarantined rows.

use std::time::{Duration, Instant};

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::ops::object::{Built, Lock, Work};
use crate::ops::object::{Ddl, ObjectKind, State, builder, probe};
use crate::ops::session::Held;
use crate::ops::{DriverResult, OpsError, Pace, session};
use crate::rollout::Planned;
use crate::rollout::{Guard, Stage};

const EXPECTED: &str = "boolean not null default false";

const COLUMN: &str = "SELECT format_type(a.atttypid, a.atttypmod), a.attnotnull,
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = c.oid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
        AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped";

/// How the column stands. A row whose mark is NULL would be outside every exclusion, so it has to be `NOT NULL`.
pub(crate) async fn state(client: &Client, guard: &Guard) -> Result<State, OpsError> {
    let names = [guard.table.schema.as_str(), guard.table.name.as_str(), guard.shadow.as_str()];
    let params = names.each_ref().map(|name| (name as _, Type::TEXT));
    let row = client.query_typed_opt(COLUMN, &params).await.driver()?;
    let Some(row) = row else { return Ok(State::Missing) };
    let (ty, not_null, default): (String, bool, String) = (row.get(0), row.get(1), row.get(2));
    if ty != "boolean" {
        return Ok(State::NameTaken { by: format!("a column of type {ty}") });
    }
    let found = format!("{ty}{}{default}", if not_null { " not null" } else { "" });
    Ok(if found == EXPECTED { State::Sound } else { State::Changed { expected: EXPECTED.into(), found } })
}

/// Adds it where it is missing: a change of the catalog, no row is rewritten. One that may be NULL, or has another
/// default, is mended; if some rows are NULL that is [`StillViolated`](OpsError::StillViolated).
pub(crate) async fn ensure(client: &mut Client, guard: &Guard, pace: &Pace) -> Result<Built, OpsError> {
    let started = Instant::now();
    let (table, shadow) = (guard.table.quoted(), guard.shadow.quoted());
    let (work, held) = match state(client, guard).await? {
        State::Sound => (Work::AlreadyThere, Held::default()),
        State::NameTaken { by } => {
            let (table, rule) = (guard.table.to_string(), guard.shadow.to_string());
            return Err(OpsError::NameTaken { table, rule, by });
        }
        State::Missing => {
            let sql = format!("ALTER TABLE {table} ADD COLUMN {shadow} boolean NOT NULL DEFAULT false");
            (Work::Built, session::brief(client, pace, &guard.table, "ACCESS EXCLUSIVE", &sql).await?)
        }
        _ => (Work::Replaced, mend(client, guard, pace).await?),
    };
    let (name, kind, duration) = (guard.shadow.to_string(), ObjectKind::Column, started.elapsed());
    Ok(Built { name, kind, work, duration, waited: held.waited, locked: held.held })
}

/// What [`ensure`] would do.
pub(crate) async fn planned(client: &Client, guard: &Guard) -> Result<Option<Planned>, OpsError> {
    let (table, shadow) = (guard.table.quoted(), guard.shadow.quoted());
    let state = state(client, guard).await?;
    let (sql, reads_rows) = match &state {
        State::Sound => return Ok(None),
        State::Missing => {
            (format!("ALTER TABLE {table} ADD COLUMN {shadow} boolean NOT NULL DEFAULT false"), false)
        }
        _ => {
            let set = format!("ALTER TABLE {table} ALTER COLUMN {shadow}");
            (format!("{set} SET DEFAULT false; {set} SET NOT NULL"), true)
        }
    };
    let (stage, name, kind) = (Stage::Backfill, guard.shadow.to_string(), ObjectKind::Column);
    let (lock, takes) = (Lock::AccessExclusive, Some(Duration::ZERO));
    Ok(Some(Planned { stage, name, kind, state, sql, lock, reads_rows, takes }))
}

/// `SET NOT NULL` reads the whole table under an exclusive lock, unless a valid check says there is nothing to find.
async fn mend(client: &mut Client, guard: &Guard, pace: &Pace) -> Result<Held, OpsError> {
    let (table, shadow) = (guard.table.quoted(), guard.shadow.quoted());
    let check = Ddl {
        table: guard.table.clone(),
        name: guard.shadow.with_suffix("_marks"),
        kind: ObjectKind::Check,
        definition: format!("CHECK ({shadow} IS NOT NULL)"),
    };
    let name = check.name.quoted();
    let default = format!("ALTER TABLE {table} ALTER COLUMN {shadow} SET DEFAULT false");
    session::brief(client, pace, &guard.table, "ACCESS EXCLUSIVE", &default).await?;
    let printed = probe::printed(client, &guard.table, std::slice::from_ref(&check), None, pace).await?;
    let mut built = Ok(());
    for expected in &printed {
        built = builder::ensure(client, &check, expected, pace).await.map(|_| ());
    }
    let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {name}");
    match built {
        Ok(()) => {
            let set = format!("ALTER TABLE {table} ALTER COLUMN {shadow} SET NOT NULL; {drop}");
            Ok(session::brief(client, pace, &guard.table, "ACCESS EXCLUSIVE", &set).await?)
        }
        Err(error) => {
            let _ = session::brief(client, pace, &guard.table, "ACCESS EXCLUSIVE", &drop).await;
            Err(error)
        }
    }
}
