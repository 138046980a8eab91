//! What can be asked of the program.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use slotkeeper::rollout::{Cleanup, Pace};

use crate::rights::Duties;

/// Booking tables that cannot double-book: migrate ours, guard yours.
///
/// The database is named by DATABASE_URL, never on the command line, where other users of the machine could read it.
/// Nothing is changed unless a command says so: quarantine, dedupe and repair only show what they would do without --apply.
#[derive(Debug, Parser)]
#[command(
    name = "slotkeeper",
    version,
    after_help = "\
Exit status: 0 done, or nothing found; 1 an error; 2 wrong usage; 3 something to be dealt with: drift, damage, rows \
that break a rule, obstacles, pending migrations, privileges that do not fit, things left alone.

Environment: DATABASE_URL (postgres://… or key=value; TLS with a verified certificate unless sslmode=disable or a socket), PGPASSWORD, \
PGSSLROOTCERT (a file of trusted certificates instead of the system's)."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Args, Debug)]
pub(crate) struct Global {
    /// The schema of the library's own tables.
    #[arg(long, global = true, default_value = "slotkeeper")]
    pub(crate) schema: String,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Milliseconds a step waits for a table that others use before it lets them pass and tries again: 500 for a table with
    /// rows, 5000 for a migration, unless set.
    #[arg(long, global = true, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    pub(crate) lock_timeout: Option<u64>,
    /// Rows changed in one transaction.
    #[arg(long, global = true, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) batch: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List applied, pending and unknown migrations.
    Status,
    /// Show what `up` would do: its SQL, the locks it takes, and how large what it touches is.
    Plan,
    /// Look, without changing anything, for whatever would stop `up` or break a rule.
    Preflight,
    /// Apply what is pending.
    Up,
    /// Compare the catalog with this release, and the rows with each other.
    Verify {
        /// The catalog only: fast, and needs no rights on the tables.
        #[arg(long)]
        catalog_only: bool,
        /// The role the application connects as: privileges that are missing or too many are named.
        #[arg(long, value_name = "NAME")]
        role: Option<String>,
        #[command(flatten)]
        duties: Duties,
    },
    /// Print the SQL that gives a role what it needs, and no more. Nothing is granted: pipe it to `psql`.
    Grants {
        /// The role the application connects as, exactly as the catalog has its name.
        #[arg(long, value_name = "NAME")]
        role: String,
        #[command(flatten)]
        duties: Duties,
    },
    /// Restore what can be restored without offending anything.
    Repair {
        /// Do it; without, only show what would be done.
        #[arg(long)]
        apply: bool,
    },
    /// Take the last migration back; refuses to destroy rows.
    Down {
        /// Write the rows to this file first, and then destroy them.
        #[arg(long, value_name = "FILE", conflicts_with = "destroy_data")]
        export: Option<PathBuf>,
        /// Destroy rows without a copy.
        #[arg(long)]
        destroy_data: bool,
    },
    /// Mark rows of our tables that overlap, so that the constraint can be built.
    Quarantine(Apply),
    /// Remove rows of our tables that share a key or refer to nothing, keeping them whole in a file.
    Dedupe(Apply),
    /// Bring back what quarantine, dedupe or down put into a file.
    Restore {
        /// The file.
        file: PathBuf,
    },
    /// Preflight, up, verify, up again, and a drill on a scratch copy; writes a report for the change request.
    Ceremony {
        /// Where to write `ceremony.md` and `ceremony.json`. They name tenants and keys of rows.
        #[arg(long, value_name = "FOLDER")]
        report: Option<PathBuf>,
        /// How many rows the drill copies at most.
        #[arg(long, default_value_t = 1_000_000)]
        rows: u64,
    },
    /// The same for a table of yours, described in a file.
    Guard {
        /// JSON: an example is at the end of `slotkeeper guard --help`.
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
        #[command(subcommand)]
        command: GuardCommand,
    },
}

/// Which rows, and whether for real.
#[derive(Args, Debug)]
pub(crate) struct Apply {
    /// Write the rows to this file, then change them; without, only say which. A file that is there is carried out to its
    /// end and nothing new is looked for: use a new name for each run. `dedupe` of our tables writes one file a table,
    /// `x.holds.jsonl` for `x.jsonl`.
    #[arg(long, value_name = "FILE")]
    pub(crate) apply: Option<PathBuf>,
    /// Only this tenant's: the canary.
    #[arg(long, value_name = "ID")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
The file describes one table:
{
  \"schema\": \"app\", \"table\": \"visits\", \"tenant\": \"restaurant_id\",
  \"confirmed_at\": \"paid_at\", \"created_at\": \"created_at\", \"live\": \"status <> 'cancelled'\",
  \"no_overlap\": [{\"name\": \"visits_excl\", \"resource\": [\"table_id\"], \"start\": \"starts_at\", \"end\": \"ends_at\"}],
  \"unique\":     [{\"name\": \"visits_number_key\", \"columns\": [\"restaurant_id\", \"number\"]}],
  \"references\": [{\"name\": \"visits_table_fkey\", \"columns\": [\"restaurant_id\", \"table_id\"],
                  \"parent\": [\"app\", \"tables\"], \"key\": [\"restaurant_id\", \"id\"]}],
  \"checks\":     [{\"name\": \"visits_party_check\", \"condition\": \"party > 0\"}],
  \"indexes\":    [{\"name\": \"visits_start_idx\", \"columns\": [\"starts_at\"], \"live_only\": true}]
}")]
pub(crate) enum GuardCommand {
    /// Look for rows that break the rules, and for whatever else would stop `up`.
    Preflight,
    /// Show what `up` would do: its SQL, the locks it takes, and how long it may take.
    Plan,
    /// Mark rows that overlap or have no valid window.
    Quarantine(Apply),
    /// Remove rows that share a key or refer to nothing, keeping them whole in a file.
    Dedupe(Apply),
    /// Bring back what quarantine or dedupe put into a file.
    Restore {
        /// The file.
        file: PathBuf,
    },
    /// Build what is missing.
    Up,
    /// Compare the catalog, and the rows, with the description.
    Verify {
        /// The catalog only.
        #[arg(long)]
        catalog_only: bool,
    },
    /// Take back the last stage.
    Down {
        /// Every stage.
        #[arg(long)]
        all: bool,
        /// The shadow column too (implies --all); refused, before anything is dropped, while rows are marked.
        #[arg(long)]
        drop_shadow: bool,
        /// Drop the column although rows are marked: which ones is forgotten.
        #[arg(long, requires = "drop_shadow")]
        forget_marks: bool,
        /// Only say what would be dropped.
        #[arg(long)]
        dry_run: bool,
    },
    /// Count what would have been refused to a tenant.
    Observe {
        /// The tenant.
        tenant: String,
    },
    /// Refuse overlaps of one tenant, before all.
    Enforce {
        /// The tenant.
        tenant: String,
    },
    /// Stop refusing overlaps of one tenant.
    Release {
        /// The tenant.
        tenant: String,
    },
}

impl Global {
    /// How gently tables in use are worked on.
    pub(crate) fn pace(&self) -> Pace {
        let pace = Pace::new().batch(self.batch);
        self.lock_timeout.map_or(pace, |millis| pace.lock_timeout(Duration::from_millis(millis)))
    }
}

impl Apply {
    /// The same, as the library takes it.
    pub(crate) fn cleanup(&self, pace: Pace) -> Cleanup {
        let mut cleanup = Cleanup::dry_run().pace(pace);
        if let Some(tenant) = &self.tenant {
            cleanup = cleanup.tenant(tenant);
        }
        if let Some(file) = &self.apply {
            cleanup = cleanup.apply(file);
        }
        cleanup
    }
}

impl Command {
    /// As it is typed.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Plan => "plan",
            Self::Preflight => "preflight",
            Self::Up => "up",
            Self::Verify { .. } => "verify",
            Self::Grants { .. } => "grants",
            Self::Repair { .. } => "repair",
            Self::Down { .. } => "down",
            Self::Quarantine(_) => "quarantine",
            Self::Dedupe(_) => "dedupe",
            Self::Restore { .. } => "restore",
            Self::Ceremony { .. } => "ceremony",
            Self::Guard { .. } => "guard",
        }
    }
}
