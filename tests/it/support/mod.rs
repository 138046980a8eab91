//! What every test needs: a house with resources, and a clock far from now.

use chrono::{DateTime, TimeDelta, Utc};
use kit::Database;
use slotkeeper::{
    Claim, IdempotencyKey, ResourceId, ResourceKind, ResourceName, Slotkeeper, TenantId, Window,
    migrate::{Duty, Migrator, Role},
    resource::NewResource,
};

/// The revisions of every booking, as rows: what `{history}` stands for in a query.
pub const HISTORY: &str = "(SELECT b.tenant_id, b.id AS booking_id, (e->>'revision')::integer AS revision,
       e->>'status' AS status, (e->>'confirmation')::uuid AS confirmation_id,
       tstzrange((e->'window'->>'start')::timestamptz, (e->'window'->>'end')::timestamptz) AS during
  FROM slotkeeper.bookings b CROSS JOIN jsonb_array_elements(b.history) e)";

/// Every table that holds rows of tenants.
pub const TABLES: [&str; 9] = [
    "resources",
    "holds",
    "allocations",
    "bookings",
    "confirmations",
    "outbox",
    "availability_cache",
    "offered_slots",
    "allocations_archive",
];

/// A database of its own, a pool on it, and a handle.
pub struct House {
    pub db: Database,
    pub pool: deadpool_postgres::Pool,
    pub keeper: Slotkeeper,
    pub tenant: TenantId,
}

impl House {
    pub async fn open() -> Self {
        Self::with(Slotkeeper::new()).await
    }

    pub async fn with(keeper: Slotkeeper) -> Self {
        let db = kit::database().await.expect("a database");
        let pool = db.pool(50);
        Self { db, pool, keeper, tenant: TenantId::generate() }
    }

    /// A second door: a role that owns nothing and has exactly what the product prints for these duties. The role is one
    /// for each database, so asking again takes back what it had.
    pub async fn role(&self, duties: impl IntoIterator<Item = Duty>) -> deadpool_postgres::Pool {
        let config = self.db.stranger().await.expect("a role");
        let name = config.get_user().expect("a name");
        let mut owner = self.db.client().await.expect("a client");
        owner.batch_execute(&format!("DROP OWNED BY {name}")).await.expect("nothing left of it");
        let (migrator, role) = (Migrator::new(), Role::new(name).duties(duties));
        let grants = migrator.grants(&owner, &role).await.expect("grants").to_string();
        owner.batch_execute(&grants).await.expect("granted");
        let verified = migrator.for_role(role).verify(&mut owner).await.expect("a verification");
        assert!(verified.role_fits(), "{verified}");
        let manager = deadpool_postgres::Manager::new(config, tokio_postgres::NoTls);
        deadpool_postgres::Pool::builder(manager).max_size(4).build().expect("a pool")
    }

    /// Adds tables for four and returns them in id order.
    pub async fn tables(&self, count: usize) -> Vec<ResourceId> {
        let mut ids = Vec::new();
        for n in 0..count {
            let new = NewResource::new(self.tenant, kind("table"), name(&format!("table {n}")));
            let new = new.parties(1, 4).expect("a valid party");
            ids.push(self.keeper.resources().create(&self.pool, &new).await.expect("a table").id);
        }
        ids.sort();
        ids
    }

    pub async fn table(&self) -> ResourceId {
        self.tables(1).await[0]
    }

    /// Runs text as the owner, past the library.
    pub async fn sql(&self, text: &str) {
        self.db.client().await.expect("a client").batch_execute(text).await.expect("sql");
    }

    pub async fn count(&self, query: &str) -> i64 {
        let client = self.db.client().await.expect("a client");
        client.query_one(&query.replace("{history}", HISTORY), &[]).await.expect("a count").get(0)
    }

    /// One digest over every row of every table: equal before and after means nothing changed.
    pub async fn digest(&self) -> String {
        let part = |table| {
            format!(
                "coalesce((SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM slotkeeper.{table} t), '-')"
            )
        };
        let query = format!("SELECT {}", TABLES.map(part).join(" || "));
        let client = self.db.client().await.expect("a client");
        client.query_one(&query, &[]).await.expect("a digest").get(0)
    }

    /// Pairs of live allocations of one resource that overlap, found without the index.
    pub async fn overlaps(&self) -> i64 {
        self.count(
            "SELECT count(*) FROM slotkeeper.allocations a JOIN slotkeeper.allocations b
               ON a.tenant_id = b.tenant_id AND a.resource_id = b.resource_id AND a.id < b.id
              AND lower(a.during) < upper(b.during) AND lower(b.during) < upper(a.during)
            WHERE a.released_at IS NULL AND b.released_at IS NULL AND NOT a.shadow AND NOT b.shadow",
        )
        .await
    }
}

/// The library's own audit has nothing to say.
pub async fn assert_audit(house: &House) {
    let mut client = house.db.client().await.expect("a client");
    let audit = slotkeeper::migrate::Migrator::new().audit(&mut client).await.expect("an audit");
    assert!(audit.is_clean(), "{audit}");
}

pub fn kind(text: &str) -> ResourceKind {
    ResourceKind::new(text).expect("a kind")
}

pub fn name(text: &str) -> ResourceName {
    ResourceName::new(text).expect("a name")
}

pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::new(text).expect("a key")
}

/// A key no other call uses.
pub fn fresh_key() -> IdempotencyKey {
    key(&uuid::Uuid::now_v7().to_string())
}

/// 2030-01-01T00:00Z plus minutes: no test's hold is near its own window.
pub fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_893_456_000, 0).expect("an instant") + TimeDelta::minutes(minute)
}

/// `[from, to)` in minutes of that day.
pub fn window(from: i64, to: i64) -> Window {
    Window::new(at(from), at(to)).expect("a window")
}

/// 10:00–10:30 of that day is `window(600, 630)`.
pub fn one(resource: ResourceId, from: i64, to: i64) -> Claim {
    Claim::one(resource, window(from, to))
}

pub fn all(resources: &[ResourceId], from: i64, to: i64) -> Claim {
    Claim::all(resources.iter().copied(), window(from, to)).expect("a claim")
}
