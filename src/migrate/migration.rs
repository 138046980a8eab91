//! The list of migrations.

use crate::schema::SCHEMA_VERSION;
use sha2::{Digest, Sha256};

/// One step of the schema, forward and back.
///
/// The texts are written for the schema `slotkeeper`; the runner puts the host's schema in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// Its number: 1, 2, 3 …
    pub version: i32,
    /// What it does, as in its file name.
    pub name: &'static str,
    /// The statements that apply it.
    pub up: &'static str,
    /// The statements that take it back.
    pub down: &'static str,
}

/// All of them, in order, without gaps. A released one is frozen.
pub(crate) static MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "create_core",
        up: include_str!("migrations/0001_create_core.up.sql"),
        down: include_str!("migrations/0001_create_core.down.sql"),
    },
    Migration {
        version: 2,
        name: "create_offers",
        up: include_str!("migrations/0002_create_offers.up.sql"),
        down: include_str!("migrations/0002_create_offers.down.sql"),
    },
    Migration {
        version: 3,
        name: "create_archive",
        up: include_str!("migrations/0003_create_archive.up.sql"),
        down: include_str!("migrations/0003_create_archive.down.sql"),
    },
];

/// The statements of this release are written for the last of them.
const _: () = assert!(MIGRATIONS.len() == SCHEMA_VERSION as usize);

impl Migration {
    /// SHA-256 of [`Migration::up`] in hexadecimal: the same for every schema and every style of line end.
    #[must_use]
    pub fn checksum(&self) -> String {
        use std::fmt::Write as _;
        let text: Vec<u8> = self.up.bytes().filter(|&b| b != b'\r').collect();
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(&text) {
            // Cannot fail because writing to a String does not.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    /// The tables that [`Migration::down`] drops, in its order, without the schema.
    pub(crate) fn tables_dropped(&self) -> Vec<&'static str> {
        let drops = self.down.lines().filter_map(|line| line.trim().strip_prefix("DROP TABLE slotkeeper."));
        drops.map(|rest| rest.trim_end_matches(';')).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_count_from_one_without_gaps() {
        let versions = MIGRATIONS.iter().map(|m| m.version);
        assert!(versions.eq(1..=MIGRATIONS.len() as i32));
    }

    #[test]
    fn checksum_does_not_depend_on_line_ends() {
        let unix = Migration { version: 1, name: "x", up: "a;\nb;\n", down: "" };
        let windows = Migration { up: "a;\r\nb;\r\n", ..unix };
        assert_eq!(unix.checksum(), windows.checksum());
        assert_ne!(unix.checksum(), Migration { up: "a;\nc;\n", ..unix }.checksum());
    }

    #[test]
    fn every_drop_is_seen_by_the_emptiness_check() {
        for migration in MIGRATIONS {
            let code = migration.down.lines().filter(|line| !line.trim_start().starts_with("--"));
            let drops = code.flat_map(|line| line.match_indices("DROP TABLE")).count();
            let tables = migration.tables_dropped();
            assert_eq!(tables.len(), drops, "{}: one `DROP TABLE slotkeeper.x;` a line", migration.name);
            for table in tables {
                assert!(table.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{table:?}");
            }
        }
    }
}
