//! The layouts compared: how the same live rows are indexed, and what a user then writes to ask about them.

use super::asks::{Ask, Question};
use slotkeeper::TenantId;
use tokio_postgres::types::Type;

/// What every layout's predicate ends in: the constraint's own words, and holds that have not expired.
const LIVE: &str = "a.released_at IS NULL AND NOT a.shadow
        AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp())";

/// How a window's rows are found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    /// `during && $3`, with what else the index wants to hear.
    Overlap(&'static str),
    /// The range predicate people write by hand.
    Bounds,
    /// The last unexpired row that starts before my end.
    LastStart,
    /// The library's own statements.
    Library,
}

/// What decides in a layout, apart from the primary key: an index, or a constraint with one.
pub struct Index {
    pub name: &'static str,
    pub create: &'static str,
    pub drop: &'static str,
}

pub struct Layout {
    pub name: &'static str,
    pub table: String,
    /// The first answers "is it free".
    pub indexes: Vec<Index>,
    /// Whether it also keeps rows from overlapping, or only finds them.
    pub enforces: bool,
    pub note: &'static str,
    look: Look,
}

/// A layout's only one.
fn one(name: &'static str, create: &'static str, drop: &'static str) -> Vec<Index> {
    vec![Index { name, create, drop }]
}

impl Layout {
    /// Those this server can have. The rest is named, never passed over in silence.
    pub fn all(server_version: i32) -> Vec<Self> {
        let of = |name, look, enforces, note, indexes| {
            let table = format!("bench.{name}");
            Self { name, table, indexes, enforces, note, look }
        };
        let overlap = Look::Overlap("");
        let mut all = vec![
            of(
                "source_gist4",
                Look::Overlap("AND a.resource_type = 'table'"),
                true,
                "exclusion constraint in the column order of the source systems, with their resource_type",
                one(
                    "source_gist4_excl",
                    "ALTER TABLE bench.source_gist4 ADD CONSTRAINT source_gist4_excl EXCLUDE USING gist
                         (tenant_id WITH =, resource_type WITH =, resource_id WITH =, during WITH &&)
                         WHERE (released_at IS NULL AND NOT shadow)",
                    "ALTER TABLE bench.source_gist4 DROP CONSTRAINT source_gist4_excl",
                ),
            ),
            of(
                "gist_tenant_resource_window",
                overlap,
                true,
                "exclusion constraint, tenant first",
                one(
                    "gist_trw_excl",
                    "ALTER TABLE bench.gist_tenant_resource_window ADD CONSTRAINT gist_trw_excl EXCLUDE USING gist
                         (tenant_id WITH =, resource_id WITH =, during WITH &&)
                         WHERE (released_at IS NULL AND NOT shadow)",
                    "ALTER TABLE bench.gist_tenant_resource_window DROP CONSTRAINT gist_trw_excl",
                ),
            ),
            of(
                "gist_resource_window_tenant",
                overlap,
                true,
                "exclusion constraint, resource first",
                one(
                    "gist_rwt_excl",
                    "ALTER TABLE bench.gist_resource_window_tenant ADD CONSTRAINT gist_rwt_excl EXCLUDE USING gist
                         (resource_id WITH =, during WITH &&, tenant_id WITH =)
                         WHERE (released_at IS NULL AND NOT shadow)",
                    "ALTER TABLE bench.gist_resource_window_tenant DROP CONSTRAINT gist_rwt_excl",
                ),
            ),
            of(
                "btree_last_start",
                Look::LastStart,
                false,
                "only right where something else keeps live rows of a resource from overlapping",
                one(
                    "btree_last_start_idx",
                    "CREATE INDEX btree_last_start_idx ON bench.btree_last_start
                         (tenant_id, resource_id, lower(during)) WHERE released_at IS NULL AND NOT shadow",
                    "DROP INDEX bench.btree_last_start_idx",
                ),
            ),
            of(
                "btree_range",
                Look::Bounds,
                false,
                "reads every live row of the resource that starts before the window's end",
                one(
                    "btree_range_idx",
                    "CREATE INDEX btree_range_idx ON bench.btree_range
                         (tenant_id, resource_id, lower(during), upper(during))
                         WHERE released_at IS NULL AND NOT shadow",
                    "DROP INDEX bench.btree_range_idx",
                ),
            ),
            of(
                "spgist_window",
                overlap,
                false,
                "reads every row of every tenant and resource that overlaps the window, then filters",
                one(
                    "spgist_window_idx",
                    "CREATE INDEX spgist_window_idx ON bench.spgist_window USING spgist (during)
                         WHERE released_at IS NULL AND NOT shadow",
                    "DROP INDEX bench.spgist_window_idx",
                ),
            ),
        ];
        if server_version >= 180_000 {
            all.push(of(
                "without_overlaps",
                overlap,
                true,
                "cannot be partial, so it can serve only a table from which released and shadow rows are kept out",
                one(
                    "without_overlaps_key",
                    "ALTER TABLE bench.without_overlaps ADD CONSTRAINT without_overlaps_key
                         UNIQUE (tenant_id, resource_id, during WITHOUT OVERLAPS)",
                    "ALTER TABLE bench.without_overlaps DROP CONSTRAINT without_overlaps_key",
                ),
            ));
        } else {
            println!(
                "overlap_check: SKIPPED without_overlaps: needs PostgreSQL 18, this is {server_version}"
            );
        }
        all.push(Self::library());
        all
    }

    /// The real table with all it has: the index the look uses, the constraint that decides, and two more.
    fn library() -> Self {
        let start = Index {
            name: "allocations_start_idx",
            create: "CREATE INDEX allocations_start_idx ON slotkeeper.allocations
                         (tenant_id, resource_id, lower(during)) WHERE released_at IS NULL AND NOT shadow",
            drop: "DROP INDEX slotkeeper.allocations_start_idx",
        };
        let judge = Index {
            name: "allocations_resource_during_excl",
            create: "ALTER TABLE slotkeeper.allocations ADD CONSTRAINT allocations_resource_during_excl
                         EXCLUDE USING gist (resource_id WITH =, during WITH &&, tenant_id WITH =)
                         WHERE (released_at IS NULL AND NOT shadow)",
            drop: "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl",
        };
        Self {
            name: "library",
            table: "slotkeeper.allocations".into(),
            indexes: vec![start, judge],
            enforces: true,
            note: "the real table and API: two deciding indexes, checks, a foreign key; also asks whether the resource \
                   is active, and looks at shadow rows",
            look: Look::Library,
        }
    }

    pub fn is_library(&self) -> bool {
        self.look == Look::Library
    }

    /// `$1` tenant, `$2` resource, `$3` window; the library's lists have shapes of their own.
    pub fn statement(&self, question: Question) -> String {
        if self.is_library() {
            let text = match question {
                Question::Free => include_str!("../../src/sql/allocation/is_free.sql"),
                Question::Blockers => include_str!("../../src/sql/allocation/blockers.sql"),
                Question::Listing => include_str!("../../src/sql/allocation/list_by_resource.sql"),
            };
            return text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        }
        match question {
            Question::Free => format!("SELECT NOT EXISTS ({}) AS free", self.candidates()),
            Question::Blockers => format!(
                "SELECT a.id, a.kind, a.during * $3::tstzrange AS overlap FROM ({}) a ORDER BY overlap LIMIT 64",
                self.blockers()
            ),
            Question::Listing => format!(
                "SELECT a.id, a.kind, a.during AS overlap FROM ({}) a ORDER BY a.during, a.id LIMIT 10000",
                self.blockers()
            ),
        }
    }

    /// Empty if the window is free.
    fn candidates(&self) -> String {
        match self.look {
            Look::LastStart => {
                format!("SELECT FROM ({}) a WHERE a.during && $3", self.last("upper($3::tstzrange)"))
            }
            _ => self.blockers(),
        }
    }

    /// Every row in the way.
    fn blockers(&self) -> String {
        let overlap = match self.look {
            Look::Overlap(more) => format!("a.during && $3::tstzrange {more}"),
            Look::Bounds => {
                "lower(a.during) < upper($3::tstzrange) AND upper(a.during) > lower($3::tstzrange)".into()
            }
            // Those that start inside, and the last that starts before: it alone may reach into the window.
            Look::LastStart | Look::Library => {
                let inside =
                    "lower(a.during) >= lower($3::tstzrange) AND lower(a.during) < upper($3::tstzrange)";
                return format!(
                    "{} UNION ALL SELECT a.id, a.kind, a.during FROM ({}) a WHERE a.during && $3",
                    self.rows(inside),
                    self.last("lower($3::tstzrange)")
                );
            }
        };
        self.rows(&overlap)
    }

    fn last(&self, before: &str) -> String {
        format!("{} ORDER BY lower(a.during) DESC LIMIT 1", self.rows(&format!("lower(a.during) < {before}")))
    }

    fn rows(&self, overlap: &str) -> String {
        let table = &self.table;
        format!(
            "SELECT a.id, a.kind, a.during FROM {table} a
              WHERE a.tenant_id = $1 AND a.resource_id = $2 AND {overlap} AND {LIVE}"
        )
    }

    pub fn types(&self, question: Question) -> &'static [Type] {
        match (self.look, question) {
            (Look::Library, Question::Blockers) => &[Type::UUID, Type::UUID_ARRAY, Type::TSTZ_RANGE_ARRAY],
            (Look::Library, Question::Listing) => &[Type::UUID, Type::UUID, Type::TSTZ_RANGE, Type::INT8],
            _ => &[Type::UUID, Type::UUID, Type::TSTZ_RANGE],
        }
    }

    /// The parameters as literals, for `EXECUTE`.
    pub fn literals(&self, question: Question, ask: &Ask) -> String {
        let Ask { tenant, table, window, .. } = ask;
        let tenant: &TenantId = tenant;
        match (self.look, question) {
            (Look::Library, Question::Blockers) => {
                format!("'{tenant}', ARRAY['{table}']::uuid[], ARRAY['{window}']::tstzrange[]")
            }
            (Look::Library, Question::Listing) => format!("'{tenant}', '{table}', '{window}', 10000"),
            _ => format!("'{tenant}', '{table}', '{window}'"),
        }
    }
}
