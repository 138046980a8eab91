//! The layouts compared: how the same live rows are indexed.

/// Which rows the library's own constraint and index hold.
const LIVE: &str = "WHERE released_at IS NULL AND NOT shadow";

/// How a window's rows are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
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
    pub name: String,
    pub create: String,
    pub drop: String,
}

impl Index {
    fn plain(name: &str, table: &str, keys: &str) -> Self {
        let schema = table.split_once('.').expect("a schema").0;
        Self {
            name: name.into(),
            create: format!("CREATE INDEX {name} ON {table} {keys} {LIVE}"),
            drop: format!("DROP INDEX {schema}.{name}"),
        }
    }

    fn constraint(name: &str, table: &str, rule: &str) -> Self {
        Self {
            name: name.into(),
            create: format!("ALTER TABLE {table} ADD CONSTRAINT {name} {rule}"),
            drop: format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        }
    }

    fn exclusion(name: &str, table: &str, keys: &str) -> Self {
        let condition = LIVE.replace("WHERE ", "WHERE (") + ")";
        Self::constraint(name, table, &format!("EXCLUDE USING gist ({keys}) {condition}"))
    }
}

pub struct Layout {
    pub name: &'static str,
    pub table: String,
    pub indexes: Vec<Index>,
    /// Whether it also keeps rows from overlapping, or only finds them.
    pub enforces: bool,
    pub note: &'static str,
    pub look: Look,
}

impl Layout {
    /// Those this server can have. The rest is named, never passed over in silence.
    pub fn all(server_version: i32) -> Vec<Self> {
        let mut all = vec![
            Self::excluding(
                "source_gist4",
                Look::Overlap("AND a.resource_type = 'table'"),
                "tenant_id WITH =, resource_type WITH =, resource_id WITH =, during WITH &&",
                "exclusion constraint in the column order of the source systems, with their resource_type",
            ),
            Self::excluding(
                "gist_tenant_resource_window",
                Look::Overlap(""),
                "tenant_id WITH =, resource_id WITH =, during WITH &&",
                "exclusion constraint, tenant first",
            ),
            Self::excluding(
                "gist_resource_window_tenant",
                Look::Overlap(""),
                "resource_id WITH =, during WITH &&, tenant_id WITH =",
                "exclusion constraint, resource first",
            ),
            Self::finding(
                "btree_last_start",
                Look::LastStart,
                "(tenant_id, resource_id, lower(during))",
                "only right where something else keeps live rows of a resource from overlapping",
            ),
            Self::finding(
                "btree_range",
                Look::Bounds,
                "(tenant_id, resource_id, lower(during), upper(during))",
                "reads every live row of the resource that starts before the window's end",
            ),
            Self::finding(
                "spgist_window",
                Look::Overlap(""),
                "USING spgist (during)",
                "reads every row of every tenant and resource that overlaps the window, then filters",
            ),
        ];
        if server_version >= 180_000 {
            all.push(Self::without_overlaps());
        } else {
            println!(
                "overlap_check: SKIPPED without_overlaps: needs PostgreSQL 18, this is {server_version}"
            );
        }
        all.push(Self::library());
        all
    }

    fn excluding(name: &'static str, look: Look, keys: &str, note: &'static str) -> Self {
        let table = format!("bench.{name}");
        let indexes = vec![Index::exclusion(&format!("{name}_excl"), &table, keys)];
        Self { name, table, indexes, enforces: true, note, look }
    }

    fn finding(name: &'static str, look: Look, keys: &str, note: &'static str) -> Self {
        let table = format!("bench.{name}");
        let indexes = vec![Index::plain(&format!("{name}_idx"), &table, keys)];
        Self { name, table, indexes, enforces: false, note, look }
    }

    fn without_overlaps() -> Self {
        let (name, table) = ("without_overlaps", "bench.without_overlaps");
        let rule = "UNIQUE (tenant_id, resource_id, during WITHOUT OVERLAPS)";
        Self {
            name,
            table: table.into(),
            indexes: vec![Index::constraint("without_overlaps_key", table, rule)],
            enforces: true,
            note: "cannot be partial: fits only a table from which released and shadow rows are kept out, as here",
            look: Look::Overlap(""),
        }
    }

    /// The real table with all it has: the index that `is_free` probes, the constraint that decides, and two more.
    fn library() -> Self {
        let table = "slotkeeper.allocations";
        let keys = "resource_id WITH =, during WITH &&, tenant_id WITH =";
        Self {
            name: "library",
            table: table.into(),
            indexes: vec![
                Index::plain("allocations_start_idx", table, "(tenant_id, resource_id, lower(during))"),
                Index::exclusion("allocations_resource_during_excl", table, keys),
            ],
            enforces: true,
            note: "the real table and API: two deciding indexes, checks, a foreign key; also asks whether the resource \
                   is active, and looks at shadow rows",
            look: Look::Library,
        }
    }

    pub fn is_library(&self) -> bool {
        self.look == Look::Library
    }
}
