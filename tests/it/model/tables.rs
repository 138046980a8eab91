//! The tables themselves, of one tenant: did anything change, and is everything there that the model has.

use super::{
    subject::{Subject, span, uuid},
    world::{Owner, World},
};
use crate::support::HISTORY;
use deadpool_postgres::GenericClient;
use slotkeeper::{BookingId, Executor, ResourceId, TenantId, Window};
use uuid::Uuid;

/// Time passes for one hold.
pub async fn expire(db: &impl GenericClient, tenant: TenantId, hold: Uuid) {
    // In one statement: a hold and its rows expire at the same instant.
    let sql = "WITH h AS (UPDATE slotkeeper.holds SET expires_at = now() - interval '1 s' WHERE tenant_id = $1 AND id = $2)
        UPDATE slotkeeper.allocations SET expires_at = now() - interval '1 s'
         WHERE tenant_id = $1 AND claim_id = $2 AND kind = 'held'";
    let sql = db.prepare_cached(sql).await.unwrap();
    db.execute(&sql, &[&tenant, &hold]).await.unwrap();
}

/// One digest over every row and who wrote it: equal before and after means that not even an equal row was written.
pub async fn digest(db: &impl GenericClient, tenant: TenantId) -> String {
    let tables = ["resources", "holds", "allocations", "bookings", "confirmations", "outbox"];
    let part = |table| {
        format!(
            "coalesce((SELECT md5(string_agg(t.xmin::text || t.ctid::text || t::text, '|' ORDER BY t.ctid))
                         FROM slotkeeper.{table} t WHERE t.tenant_id = $1), '-')"
        )
    };
    let sql = db.prepare_cached(&format!("SELECT {}", tables.map(part).join(" || "))).await.unwrap();
    db.query_one(&sql, &[&tenant]).await.unwrap().get(0)
}

/// Every difference between the tables and the model, in words.
pub async fn differences<C: Executor + GenericClient>(
    subject: &Subject<'_, C>,
    world: &World,
) -> Vec<String> {
    let lists = [
        rows(subject, world).await,
        holds(subject, world).await,
        bookings(subject, world).await,
        counts(subject, world).await,
    ];
    lists
        .into_iter()
        .filter_map(|(what, found, expected)| {
            (found != expected).then(|| format!("{what}: found {found:#?}, expected {expected:#?}"))
        })
        .collect()
}

type Lists = (&'static str, Vec<String>, Vec<String>);

async fn rows<C: Executor + GenericClient>(subject: &Subject<'_, C>, world: &World) -> Lists {
    let sql = "SELECT a.resource_id, a.during, a.kind, coalesce(a.expires_at <= statement_timestamp(), false), a.claim_id,
                      b.id
                 FROM slotkeeper.allocations a
                 LEFT JOIN slotkeeper.bookings b ON b.tenant_id = a.tenant_id AND b.claim_id = a.claim_id
                WHERE a.tenant_id = $1 AND a.released_at IS NULL";
    let text =
        |place, span, kind: &str, expired, owner: &str| format!("{place} {span:?} {kind} {expired} {owner}");
    let mut found = Vec::new();
    for row in subject.db.query(sql, &[&subject.tenant]).await.unwrap() {
        let (resource, window): (ResourceId, Window) = (row.get(0), row.get(1));
        let owner = match (row.get(2), row.get::<_, Option<BookingId>>(5)) {
            ("booked", Some(booking)) => format!("booking {}", subject.booking_number(booking)),
            ("held", None) => format!("hold {}", row.get::<_, Uuid>(4).as_u128() as usize - 1),
            (_, other) => format!("blackout {other:?}"),
        };
        found.push(text(subject.place(resource), span(window), row.get(2), row.get::<_, bool>(3), &owner));
    }
    let expected = world.rows.iter().map(|row| {
        let booking = world.bookings.iter().find(|b| b.owner == Some(row.owner)).map(|b| b.number);
        let owner = match (row.owner, booking) {
            (_, Some(booking)) => format!("booking {booking}"),
            (Owner::Hold(hold), None) => format!("hold {hold}"),
            (_, other) => format!("blackout {other:?}"),
        };
        text(row.place, row.span, row.kind, row.expired, &owner)
    });
    sorted("live allocations", found, expected.collect())
}

async fn holds<C: Executor + GenericClient>(subject: &Subject<'_, C>, world: &World) -> Lists {
    let sql = "SELECT id, status, expires_at <= statement_timestamp(), swept_at IS NOT NULL
                 FROM slotkeeper.holds WHERE tenant_id = $1";
    let text = |id: Uuid, status: &str, expired, swept| format!("{id} {status} {expired} {swept}");
    let found = subject.db.query(sql, &[&subject.tenant]).await.unwrap();
    let found = found.iter().map(|r| text(r.get(0), r.get(1), r.get::<_, bool>(2), r.get::<_, bool>(3)));
    let expected = world.holds.iter().map(|h| text(uuid(h.number), h.status, h.expired, h.swept));
    sorted("holds", found.collect(), expected.collect())
}

async fn bookings<C: Executor + GenericClient>(subject: &Subject<'_, C>, world: &World) -> Lists {
    // The history must have a row for each revision, and the last one must be the booking as it is.
    let sql = "SELECT b.id, b.status, b.revision, b.during FROM slotkeeper.bookings b
                 JOIN {history} y ON y.tenant_id = b.tenant_id AND y.booking_id = b.id
                WHERE b.tenant_id = $1 GROUP BY b.tenant_id, b.id
               HAVING count(*) = b.revision
                  AND bool_or(y.revision = b.revision AND y.status = b.status AND y.during = b.during)"
        .replace("{history}", HISTORY);
    let text =
        |number, status: &str, revision: i32, window| format!("{number} {status} {revision} {window:?}");
    let found = subject.db.query(&sql, &[&subject.tenant]).await.unwrap();
    let found =
        found.iter().map(|r| text(subject.booking_number(r.get(0)), r.get(1), r.get(2), span(r.get(3))));
    let expected = world.bookings.iter().map(|b| text(b.number, b.status, b.revision, b.window));
    sorted("bookings", found.collect(), expected.collect())
}

async fn counts<C: Executor + GenericClient>(subject: &Subject<'_, C>, world: &World) -> Lists {
    // Overlaps by comparing bounds, so that the index takes no part in judging itself.
    let sql = "SELECT (SELECT count(*) FROM slotkeeper.confirmations WHERE tenant_id = $1),
                      (SELECT count(*) FROM slotkeeper.outbox WHERE tenant_id = $1),
                      (SELECT count(*) FROM slotkeeper.resources WHERE tenant_id = $1 AND NOT active),
                      (SELECT count(*) FROM slotkeeper.allocations a JOIN slotkeeper.allocations b
                           ON a.resource_id = b.resource_id AND a.id < b.id
                          AND lower(a.during) < upper(b.during) AND lower(b.during) < upper(a.during)
                        WHERE a.tenant_id = $1 AND b.tenant_id = $1 AND a.released_at IS NULL
                          AND b.released_at IS NULL)";
    let row = subject.db.query_one(sql, &[&subject.tenant]).await.unwrap();
    let names = ["confirmations", "events", "inactive", "overlaps"];
    let mut inactive = world.inactive.clone();
    inactive.sort_unstable();
    inactive.dedup();
    let expected = [world.records.len(), world.events, inactive.len(), 0];
    let found = (0..4).map(|n| format!("{} {}", names[n], row.get::<_, i64>(n)));
    let expected = (0..4).map(|n| format!("{} {}", names[n], expected[n]));
    ("counts", found.collect(), expected.collect())
}

fn sorted(what: &'static str, mut found: Vec<String>, mut expected: Vec<String>) -> Lists {
    found.sort_unstable();
    expected.sort_unstable();
    (what, found, expected)
}
