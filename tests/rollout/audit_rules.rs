//! Rows that got in while a constraint was gone.

use crate::support::house;
use slotkeeper::{Constraint, TenantId, migrate::Migrator};
use tokio_postgres::Client;

/// A constraint or index (or `table.column` for NOT NULL), and what breaks its rule once it is gone.
const BROKEN: &[(&str, &str)] = &[
    ("resources_kind_check", "UPDATE resources SET kind = ''"),
    ("resources_name_check", "UPDATE resources SET name = ''"),
    ("resources_reference_check", "UPDATE resources SET reference = ''"),
    ("resources_capacity_check", "UPDATE resources SET capacity = 0"),
    ("resources_reference_key", "UPDATE resources SET reference = 'x'"),
    ("resources_pkey", "INSERT INTO resources SELECT * FROM resources"),
    ("holds_pkey", "INSERT INTO holds SELECT * FROM holds"),
    ("hold_status_check", "UPDATE holds SET status = 'lost'"),
    ("claimed_rows_check", "UPDATE holds SET rows = -1"),
    ("claimed_rows_check", "UPDATE confirmations SET rows = -1"),
    ("claimed_rows_check", "UPDATE outbox SET rows = -1"),
    ("holds_expires_check", "UPDATE holds SET latest_expires_at = '1999-01-01'"),
    ("buffer_seconds_check", "UPDATE holds SET buffer_after_seconds = -1"),
    ("buffer_seconds_check", "UPDATE bookings SET buffer_before_seconds = 604801"),
    ("booked_window_check", "UPDATE holds SET during = 'empty'"),
    ("booked_window_check", "UPDATE bookings SET during = 'empty'"),
    ("booked_window_check", "UPDATE allocations_archive SET during = 'empty'"),
    ("holds_reference_key", "UPDATE holds SET reference = 'x'"),
    ("holds_actor_seq_key", "UPDATE holds SET actor = 'x', actor_seq = 1"),
    ("allocations_pkey", "UPDATE allocations SET id = claim_id"),
    ("allocations_resource_fkey", "UPDATE allocations SET resource_id = id"),
    ("allocation_kind_check", "UPDATE allocations SET kind = 'lost' WHERE kind = 'blackout'"),
    ("allocations_expires_check", "UPDATE allocations SET expires_at = now() WHERE kind = 'blackout'"),
    (
        "booked_window_check",
        "UPDATE allocations SET during = tstzrange(NULL, NULL) WHERE released_at IS NOT NULL",
    ),
    ("confirmations_pkey", "UPDATE confirmations SET id = tenant_id"),
    ("confirmations_key_key", "UPDATE confirmations SET key = 'x'"),
    ("operation_check", "UPDATE confirmations SET operation = ''"),
    ("bookings_pkey", "UPDATE bookings SET id = tenant_id"),
    ("bookings_claim_key", "UPDATE bookings SET claim_id = tenant_id"),
    ("booking_status_check", "UPDATE bookings SET status = 'lost'"),
    ("bookings_confirmed_check", "UPDATE bookings SET claim_id = NULL"),
    ("bookings_price_check", "UPDATE bookings SET price_minor = 1"),
    ("bookings_reference_key", "UPDATE bookings SET reference = 'x'"),
    ("outbox_pkey", "UPDATE outbox SET id = tenant_id"),
    ("migrations_pkey", "INSERT INTO migrations SELECT * FROM migrations"),
    ("availability_cache_pkey", "INSERT INTO availability_cache SELECT * FROM availability_cache"),
    ("availability_cache_source_check", "UPDATE availability_cache SET source = 'x'"),
    ("availability_cache_body_check", "UPDATE availability_cache SET body = NULL"),
    ("availability_cache_error_check", "UPDATE availability_cache SET error_count = 3"),
    ("offered_slots_pkey", "INSERT INTO offered_slots SELECT * FROM offered_slots"),
    ("offered_slots_source_check", "UPDATE offered_slots SET source = 'x'"),
    ("offered_slots_starts_check", "UPDATE offered_slots SET starts_at = '1900-01-01'"),
    ("offered_slots_offered_check", "UPDATE offered_slots SET offered = 0"),
    ("allocations_archive_pkey", "INSERT INTO allocations_archive SELECT * FROM allocations_archive"),
    ("offered_slots.offered", "UPDATE offered_slots SET offered = NULL"),
    ("availability_cache.error_count", "UPDATE availability_cache SET error_count = NULL"),
    ("allocations_archive.during", "UPDATE allocations_archive SET during = NULL"),
    ("resources.name", "UPDATE resources SET name = NULL"),
    ("holds.status", "UPDATE holds SET status = NULL"),
    ("allocations.during", "UPDATE allocations SET during = NULL"),
    ("confirmations.snapshot", "UPDATE confirmations SET snapshot = NULL"),
    ("bookings.metadata", "UPDATE bookings SET metadata = NULL"),
    ("outbox.body", "UPDATE outbox SET body = NULL"),
    ("migrations.name", "UPDATE migrations SET name = NULL"),
];

#[tokio::test]
async fn a_row_that_breaks_the_rule_of_a_missing_constraint_is_found() {
    for constraint in Constraint::ALL {
        let known = BROKEN.iter().any(|(name, _)| *name == constraint.name());
        assert!(known || constraint.name() == "allocations_resource_during_excl", "{}", constraint.name());
    }
    let database = kit::database().await.unwrap();
    let mut client = database.client().await.unwrap();
    house::fill(&client, TenantId::SINGLE).await;
    let more = "SET search_path = slotkeeper, public;
        INSERT INTO availability_cache SELECT tenant_id, 'default', '{}', now(), now(), NULL, NULL, 0, NULL FROM resources LIMIT 1;
        INSERT INTO offered_slots SELECT tenant_id, 'default', now(), 1, now(), now() FROM resources LIMIT 1;
        INSERT INTO allocations_archive SELECT *, now() FROM allocations WHERE released_at IS NOT NULL";
    client.batch_execute(more).await.unwrap();
    assert!(Migrator::new().audit(&mut client).await.unwrap().is_clean());
    house::keep(&client).await;
    lift(&client).await;
    for (name, damage) in BROKEN {
        client.batch_execute(damage).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let audit = Migrator::new().audit(&mut client).await.unwrap();
        let rule = match name.split_once('.') {
            Some((table, _)) => format!("rule.{table}_not_null"),
            None => format!("rule.{name}"),
        };
        let found = audit.damaged().any(|check| check.name == rule && check.rows > 0);
        assert!(found, "{name}\n{audit}");
        house::back(&client).await;
    }
}

/// Nothing constrains any row any more.
async fn lift(client: &Client) {
    let sql = "SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname)
                 FROM pg_constraint
                WHERE connamespace = 'slotkeeper'::regnamespace AND contype <> 'n' AND conrelid <> 0
                UNION ALL SELECT format('ALTER DOMAIN %s DROP CONSTRAINT %I', contypid::regtype, conname)
                 FROM pg_constraint WHERE connamespace = 'slotkeeper'::regnamespace AND contypid <> 0
                UNION ALL SELECT format('DROP INDEX IF EXISTS %s', indexrelid::regclass) FROM pg_index
                 JOIN pg_class ON oid = indexrelid WHERE relnamespace = 'slotkeeper'::regnamespace AND NOT indisprimary
                  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
                UNION ALL SELECT format('ALTER TABLE %s ALTER COLUMN %I DROP NOT NULL', attrelid::regclass, attname)
                 FROM pg_attribute JOIN pg_class ON oid = attrelid
                WHERE relnamespace = 'slotkeeper'::regnamespace AND relkind = 'r' AND attnum > 0 AND attnotnull";
    for row in client.query(sql, &[]).await.unwrap() {
        client.batch_execute(row.get(0)).await.unwrap();
    }
}
