//! What a user of each layout writes to ask: the same text but for the predicate its index wants.

use super::{
    asks::{Ask, Question},
    layout::{Layout, Look},
};
use tokio_postgres::types::Type;

/// What every predicate ends in: the constraint's own words, and holds that have not expired.
const LIVE: &str = "a.released_at IS NULL AND NOT a.shadow
        AND (a.expires_at IS NULL OR a.expires_at > statement_timestamp())";

impl Layout {
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
        match (self.look, question) {
            (Look::Library, Question::Blockers) => {
                format!("'{tenant}', ARRAY['{table}']::uuid[], ARRAY['{window}']::tstzrange[]")
            }
            (Look::Library, Question::Listing) => format!("'{tenant}', '{table}', '{window}', 10000"),
            _ => format!("'{tenant}', '{table}', '{window}'"),
        }
    }
}
