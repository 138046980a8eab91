//! Rows that got in while a constraint was gone.

use crate::support::house;
use slotkeeper::{TenantId, constraint::Constraint, migrate::Migrator};

/// A constraint or index (or `table.column` for NOT NULL), and what breaks its rule once it is gone.
const BROKEN: &[(&str, &str)] = &[
    ("resources_kind_check", "UPDATE resources SET kind = ''"),
    ("resources_name_check", "UPDATE resources SET name = ''"),
    ("resources_reference_check", "UPDATE resources SET reference = ''"),
    ("resources_capacity_check", "UPDATE resources SET capacity = 0"),
    ("resources_reference_key", "UPDATE resources SET reference = 'x'"),
    ("resources_pkey", "INSERT INTO resources SELECT * FROM resources"),
    ("holds_pkey", "INSERT INTO holds SELECT * FROM holds"),
    ("holds_status_check", "UPDATE holds SET status = 'lost'"),
    ("holds_claimed_check", "UPDATE holds SET claimed = 1"),
    ("holds_expires_check", "UPDATE holds SET latest_expires_at = '1999-01-01'"),
    ("holds_buffer_check", "UPDATE holds SET buffer_after_seconds = -1"),
    ("holds_during_check", "UPDATE holds SET during = 'empty'"),
    ("holds_reference_key", "UPDATE holds SET reference = 'x'"),
    ("holds_actor_seq_key", "UPDATE holds SET actor = 'x', actor_seq = 1"),
    ("allocations_pkey", "UPDATE allocations SET id = claim_id"),
    ("allocations_resource_fkey", "UPDATE allocations SET resource_id = id"),
    ("allocations_kind_check", "UPDATE allocations SET kind = 'lost' WHERE kind = 'blackout'"),
    ("allocations_expires_check", "UPDATE allocations SET expires_at = now() WHERE kind = 'blackout'"),
    (
        "allocations_during_check",
        "UPDATE allocations SET during = tstzrange(NULL, NULL) WHERE released_at IS NOT NULL",
    ),
    ("confirmations_pkey", "UPDATE confirmations SET id = tenant_id"),
    ("confirmations_key_key", "UPDATE confirmations SET key = 'x'"),
    ("confirmations_operation_check", "UPDATE confirmations SET operation = 'lose'"),
    ("confirmations_claimed_check", "UPDATE confirmations SET requested = 9"),
    ("bookings_pkey", "UPDATE bookings SET id = tenant_id"),
    ("bookings_claim_key", "UPDATE bookings SET claim_id = tenant_id"),
    ("bookings_status_check", "UPDATE bookings SET status = 'lost'"),
    ("bookings_confirmed_check", "UPDATE bookings SET claim_id = NULL"),
    ("bookings_price_check", "UPDATE bookings SET price_minor = 1"),
    ("bookings_buffer_check", "UPDATE bookings SET buffer_after_seconds = -1"),
    ("bookings_during_check", "UPDATE bookings SET during = 'empty'"),
    ("bookings_reference_key", "UPDATE bookings SET reference = 'x'"),
    ("outbox_pkey", "UPDATE outbox SET id = tenant_id"),
    ("outbox_claimed_check", "UPDATE outbox SET claimed = 9"),
    ("migrations_pkey", "INSERT INTO migrations SELECT * FROM migrations"),
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
    for (name, damage) in BROKEN {
        let database = kit::database().await.unwrap();
        let mut client = database.client().await.unwrap();
        house::fill(&client, TenantId::SINGLE).await;
        let (gone, rule) = match name.split_once('.') {
            Some((table, column)) => (
                format!("ALTER TABLE {table} ALTER COLUMN {column} DROP NOT NULL"),
                format!("rule.{table}_not_null"),
            ),
            None => {
                let table = name.split('_').next().unwrap();
                let drop = format!(
                    "ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE; DROP INDEX IF EXISTS {name}"
                );
                (drop, format!("rule.{name}"))
            }
        };
        let others = "ALTER TABLE allocations DROP CONSTRAINT IF EXISTS allocations_resource_during_excl;
            DROP INDEX IF EXISTS resources_reference_key;";
        let sql =
            format!("SET search_path = slotkeeper, public; {others}; {gone}; {damage}; RESET search_path");
        client.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let audit = Migrator::new().audit(&mut client).await.unwrap();
        let found = audit.damaged().any(|check| check.name == rule && check.rows > 0);
        assert!(found, "{name}\n{audit}");
    }
}
