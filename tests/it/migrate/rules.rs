//! Rules that every table keeps, asked of the catalog. Each rule is shown to find what breaks it.

use slotkeeper::migrate::Migrator;
use tokio_postgres::Client;

use super::db::empty;

struct Rule {
    name: &'static str,
    /// The objects that break it.
    offenders: &'static str,
    /// What breaks it, and whom it then names.
    damage: &'static str,
    offender: &'static str,
}

/// The history of migrations belongs to no tenant; everything else does.
const RULES: &[Rule] = &[
    Rule {
        name: "tenant_id is first in every key and index",
        offenders: "SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
            JOIN pg_class t ON t.oid = i.indrelid
            LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
            WHERE t.relnamespace = 'slotkeeper'::regnamespace AND t.relname <> 'migrations'
              AND NOT i.indisexclusion AND a.attname IS DISTINCT FROM 'tenant_id'",
        damage: "CREATE UNIQUE INDEX holds_bad_key ON slotkeeper.holds (reference, tenant_id)",
        offender: "holds_bad_key",
    },
    Rule {
        name: "tenant_id is first on both sides of every foreign key, which restricts",
        offenders: "SELECT c.conname FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
            JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]
            WHERE c.connamespace = 'slotkeeper'::regnamespace AND c.contype = 'f'
              AND ((a.attname, b.attname) <> ('tenant_id', 'tenant_id') OR (c.confdeltype, c.confupdtype) <> ('a', 'a'))",
        damage: "ALTER TABLE slotkeeper.allocations ADD CONSTRAINT allocations_bad_fkey
            FOREIGN KEY (tenant_id, resource_id) REFERENCES slotkeeper.resources (tenant_id, id) ON DELETE SET NULL",
        offender: "allocations_bad_fkey",
    },
    Rule {
        name: "every exclusion compares tenant_id with =",
        offenders: "SELECT c.conname FROM pg_constraint c
            WHERE c.connamespace = 'slotkeeper'::regnamespace AND c.contype = 'x' AND NOT EXISTS (
                SELECT FROM unnest(c.conkey, c.conexclop) AS k (attnum, op)
                JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
                WHERE a.attname = 'tenant_id' AND k.op = '=(uuid,uuid)'::regoperator)",
        damage: "ALTER TABLE slotkeeper.holds ADD CONSTRAINT holds_bad_excl
            EXCLUDE USING gist (id WITH =, during WITH &&, tenant_id WITH <>)",
        offender: "holds_bad_excl",
    },
    Rule {
        // A NULL in a key escapes it. Let off by name: a booking has no claim before it is confirmed, and a hold has
        // no number without an actor, nor is a hold without a number in the index.
        name: "every key column is not null, or its index leaves NULL out",
        offenders: "SELECT x.relname || '.' || a.attname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
            JOIN pg_class t ON t.oid = i.indrelid
            JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
            WHERE t.relnamespace = 'slotkeeper'::regnamespace AND (i.indisunique OR i.indisexclusion)
              AND NOT a.attnotnull
              AND coalesce(pg_get_expr(i.indpred, i.indrelid), '') <> format('(%s IS NOT NULL)', a.attname)
              AND (x.relname, a.attname) NOT IN (('bookings_claim_key', 'claim_id'), ('holds_actor_seq_key', 'actor'))
            UNION ALL SELECT c.conname || '.' || a.attname FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
            WHERE c.connamespace = 'slotkeeper'::regnamespace AND c.contype = 'f' AND NOT a.attnotnull",
        damage: "ALTER TABLE slotkeeper.allocations ALTER COLUMN during DROP NOT NULL",
        offender: "allocations_resource_during_excl.during",
    },
    Rule {
        name: "every table has a primary key, and is permanent",
        offenders: "SELECT t.relname FROM pg_class t WHERE t.relnamespace = 'slotkeeper'::regnamespace
            AND t.relkind = 'r' AND (t.relpersistence <> 'p'
                OR NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'p'))",
        damage: "ALTER TABLE slotkeeper.outbox DROP CONSTRAINT outbox_pkey",
        offender: "outbox",
    },
    Rule {
        name: "nothing is deferrable, nothing is unvalidated",
        offenders: "SELECT c.conname FROM pg_constraint c WHERE c.connamespace = 'slotkeeper'::regnamespace
            AND (c.condeferrable OR c.condeferred OR NOT c.convalidated)",
        damage: "ALTER TABLE slotkeeper.allocations ALTER CONSTRAINT allocations_resource_fkey DEFERRABLE",
        offender: "allocations_resource_fkey",
    },
    Rule {
        name: "there are tables and indexes, and no sequence, view or other relation",
        offenders: "SELECT relname FROM pg_class WHERE relnamespace = 'slotkeeper'::regnamespace
            AND relkind NOT IN ('r', 'i')",
        damage: "ALTER TABLE slotkeeper.outbox ADD COLUMN bad bigserial",
        offender: "outbox_bad_seq",
    },
    Rule {
        name: "there is no function",
        offenders: "SELECT proname FROM pg_proc WHERE pronamespace = 'slotkeeper'::regnamespace",
        damage: "CREATE FUNCTION slotkeeper.bad() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        offender: "bad",
    },
    Rule {
        name: "there is no trigger and no rule",
        offenders: "SELECT tgname FROM pg_trigger g JOIN pg_class t ON t.oid = g.tgrelid
            WHERE t.relnamespace = 'slotkeeper'::regnamespace AND NOT g.tgisinternal
            UNION ALL SELECT rulename FROM pg_rewrite r JOIN pg_class t ON t.oid = r.ev_class
            WHERE t.relnamespace = 'slotkeeper'::regnamespace",
        damage: "CREATE TRIGGER bad BEFORE UPDATE ON slotkeeper.holds FOR EACH ROW
            EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        offender: "bad",
    },
    Rule {
        // A table is a composite type, and each type has an array.
        name: "there is no type but those of the tables, and domains",
        offenders: "SELECT y.typname FROM pg_type y LEFT JOIN pg_class t ON t.oid = y.typrelid
            WHERE y.typnamespace = 'slotkeeper'::regnamespace AND y.typcategory <> 'A' AND y.typtype <> 'd'
              AND t.relkind IS DISTINCT FROM 'r'",
        damage: "CREATE TYPE slotkeeper.bad AS ENUM ('a')",
        offender: "bad",
    },
    Rule {
        // The server sends a domain as its base type; a connection without prepared statements would have to look any
        // other type up.
        name: "every column is of a built-in type, or a domain of ours over one",
        offenders: "SELECT t.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
            JOIN pg_type y ON y.oid = a.atttypid
            WHERE t.relnamespace = 'slotkeeper'::regnamespace AND t.relkind = 'r' AND NOT a.attisdropped
              AND y.typnamespace <> 'pg_catalog'::regnamespace
              AND NOT (y.typtype = 'd' AND y.typnamespace = 'slotkeeper'::regnamespace
                       AND (SELECT b.typnamespace FROM pg_type b WHERE b.oid = y.typbasetype)
                           = 'pg_catalog'::regnamespace)",
        damage: "CREATE DOMAIN public.bad AS text; ALTER TABLE slotkeeper.outbox ADD COLUMN bad public.bad",
        offender: "outbox.bad",
    },
    Rule {
        name: "every time has a zone",
        offenders: "SELECT t.relname || '.' || a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid
            WHERE t.relnamespace = 'slotkeeper'::regnamespace AND t.relkind = 'r' AND NOT a.attisdropped
              AND a.atttypid IN ('timestamp'::regtype, 'time'::regtype, 'timetz'::regtype, 'date'::regtype,
                                 'tsrange'::regtype, 'daterange'::regtype)",
        damage: "ALTER TABLE slotkeeper.holds ADD COLUMN bad tsrange",
        offender: "holds.bad",
    },
    Rule {
        // 63 bytes less what a shard or a partition adds to a name.
        name: "every name has at most 40 bytes",
        offenders: "SELECT name FROM (
                SELECT relname FROM pg_class WHERE relnamespace = 'slotkeeper'::regnamespace
                UNION ALL SELECT conname FROM pg_constraint WHERE connamespace = 'slotkeeper'::regnamespace
                UNION ALL SELECT attname FROM pg_attribute JOIN pg_class t ON t.oid = attrelid
                WHERE t.relnamespace = 'slotkeeper'::regnamespace) AS names (name)
            WHERE octet_length(name::text) > 40",
        damage: "CREATE INDEX holds_a_name_of_forty_one_bytes_xxxxxxxxx ON slotkeeper.holds (tenant_id)",
        offender: "holds_a_name_of_forty_one_bytes_xxxxxxxxx",
    },
    Rule {
        // A parent row is written after the claim, so no key may point from a claim to its parent.
        name: "a foreign key goes to resources only",
        offenders: "SELECT c.conname FROM pg_constraint c WHERE c.connamespace = 'slotkeeper'::regnamespace
            AND c.contype = 'f' AND c.confrelid <> 'slotkeeper.resources'::regclass",
        damage: "ALTER TABLE slotkeeper.outbox ADD CONSTRAINT outbox_bad_fkey
            FOREIGN KEY (tenant_id, subject_id) REFERENCES slotkeeper.bookings (tenant_id, id)",
        offender: "outbox_bad_fkey",
    },
];

async fn offenders(client: &Client, rule: &Rule) -> Vec<String> {
    let rows =
        client.query(&format!("SELECT name::text FROM ({}) AS found (name)", rule.offenders), &[]).await;
    let rows = rows.unwrap_or_else(|error| panic!("{}: {error:?}", rule.name));
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_table_keeps_every_rule() {
    let db = empty().await;
    let mut client = db.client().await;
    Migrator::new().up(&mut client).await.unwrap();
    for rule in RULES {
        assert_eq!(offenders(&client, rule).await, [""; 0], "{}", rule.name);
        let damaged = client.transaction().await.unwrap();
        damaged.batch_execute(rule.damage).await.unwrap_or_else(|error| panic!("{}: {error:?}", rule.name));
        assert_eq!(offenders(damaged.client(), rule).await, [rule.offender], "{} is not checked", rule.name);
        damaged.rollback().await.unwrap();
    }
}
