//! The availability cache and the ledger of offered slots as services had them before they had keys: duplicates of
//! (tenant, source) and of (tenant, source, slot), found, taken out tenant by tenant, kept out, and brought back.

use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{Cleanup, CleanupReport, Down, FindingKind, Guard, Pace, Up};
use tokio_postgres::Client;

use crate::support::files::Folder;
use crate::support::messy::{count, hash};

/// The tenant that goes first.
const CANARY: &str = "00000000-0000-0000-0000-000000000007";

/// 40 tenants. Each source has a cached row; every third tenant has up to two more. The same with 60 slots each. Some were
/// made at the same instant, so that only the primary key tells which was first, and keys are not in the order of time.
const TABLES: &str = "CREATE SCHEMA app;
    CREATE TABLE app.availability_cache (id bigint PRIMARY KEY, tenant uuid NOT NULL, source text NOT NULL, body jsonb,
        refreshed_at timestamptz NOT NULL);
    CREATE TABLE app.offered_slots (id bigint PRIMARY KEY, tenant uuid NOT NULL, source text NOT NULL,
        slot_at timestamptz NOT NULL, offered integer NOT NULL, first_seen timestamptz NOT NULL);
    SELECT setseed(0.5);
    INSERT INTO app.availability_cache
    SELECT 1000 - row_number() OVER (), lpad(to_hex(t), 32, '0')::uuid, s, jsonb_build_object('n', n, 'note', 'für Zoë'),
           '2030-01-01Z'::timestamptz + (random() * 3)::int * interval '1 hour'
      FROM generate_series(1, 40) t, unnest('{DEFAULT,DIRECT_BOOK}'::text[]) s,
           generate_series(1, CASE WHEN t % 3 = 1 THEN 3 ELSE 1 END) n;
    INSERT INTO app.offered_slots
    SELECT 100000 - row_number() OVER (), lpad(to_hex(t), 32, '0')::uuid, s, '2030-02-01Z'::timestamptz + n * interval '30 min',
           1 + (random() * 9)::int, '2030-01-01Z'::timestamptz + (random() * 5)::int * interval '1 hour'
      FROM generate_series(1, 40) t, unnest('{DEFAULT,DIRECT_BOOK}'::text[]) s, generate_series(1, 60) n,
           generate_series(1, CASE WHEN (t + n) % 4 = 0 THEN 2 ELSE 1 END)";

struct Story {
    table: &'static str,
    key: &'static str,
    columns: &'static [&'static str],
    made: &'static str,
}

const STORIES: [Story; 2] = [
    Story {
        table: "availability_cache",
        key: "availability_cache_source_key",
        columns: &["tenant", "source"],
        made: "refreshed_at",
    },
    Story {
        table: "offered_slots",
        key: "offered_slots_slot_key",
        columns: &["tenant", "source", "slot_at"],
        made: "first_seen",
    },
];

impl Story {
    fn guard(&self) -> Guard {
        let guard = Guard::on("app", self.table).tenant("tenant").created_at(self.made);
        guard.unique(self.key, self.columns).build().unwrap()
    }

    fn name(&self) -> String {
        format!("app.{}", self.table)
    }

    /// The rows that must go, told by the simplest query there is.
    fn losers(&self) -> String {
        let (columns, made, table) = (self.columns.join(", "), self.made, self.table);
        format!(
            "(SELECT * FROM (SELECT t.*, row_number() OVER (PARTITION BY {columns} ORDER BY {made}, id) AS n FROM app.{table} t)
              ranked WHERE n > 1)"
        )
    }

    async fn losing(&self, client: &Client, condition: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {} l WHERE {condition}", self.losers());
        count(client, &sql).await.unsigned_abs()
    }

    /// The definition of the key in the catalog; none if there is no such constraint.
    async fn defined(&self, client: &Client) -> Option<String> {
        let sql = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1";
        client.query_opt(sql, &[&self.key]).await.unwrap().map(|row| row.get(0))
    }
}

async fn setup() -> (kit::Database, Client) {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    client.batch_execute(TABLES).await.unwrap();
    (database, client)
}

/// What a dedupe found, as one rule; or nothing.
fn found(done: &CleanupReport, story: &Story) -> u64 {
    assert!(done.rules.iter().all(|rule| rule.rule == story.key && rule.reason == FindingKind::Duplicate));
    done.found
}

#[tokio::test]
async fn duplicates_are_found_removed_by_canary_then_all_kept_out_and_brought_back() {
    let (_database, mut client) = setup().await;
    for story in &STORIES {
        let (guard, table, folder) = (story.guard(), story.name(), Folder::new());
        let before = hash(&client, &table).await;
        let (all, canary) = (
            story.losing(&client, "true").await,
            story.losing(&client, &format!("tenant = '{CANARY}'")).await,
        );
        assert!(all > 50 && canary > 3, "{all} {canary}");

        // Preflight names the rule, counts, and says whose.
        let preflight = guard.preflight(&mut client).await.unwrap();
        let [finding] = &preflight.tables[0].findings[..] else { panic!("{preflight}") };
        assert_eq!((&*finding.rule, finding.kind, finding.leaving), (story.key, FindingKind::Duplicate, all));
        let of = |tenant: &str| finding.tenants.iter().find(|t| t.tenant.as_deref() == Some(tenant));
        assert_eq!(of(CANARY).unwrap().leaving, canary);

        // A dry run tells the same and changes nothing; nor can the key be had yet.
        let dry = guard.dedupe(&mut client, &Cleanup::dry_run()).await.unwrap();
        assert_eq!((found(&dry, story), dry.done, dry.dry_run), (all, 0, true));
        let refused = guard.up(&mut client, &Up::new()).await.unwrap_err();
        assert!(matches!(refused, OpsError::StillViolated { .. }), "{refused:?}");
        assert_eq!((story.defined(&client).await, hash(&client, &table).await), (None, before.clone()));
        assert!(!guard.verify(&mut client).await.unwrap().is_ok(), "verify misses the key");

        // One tenant first: nobody else's row is touched.
        let others = format!("(SELECT * FROM {table} WHERE tenant <> '{CANARY}')");
        let untouched = hash(&client, &others).await;
        let (first, rest) = (folder.file("canary"), folder.file("all"));
        let options = Cleanup::dry_run().tenant(CANARY).apply(&first);
        let done = guard.dedupe(&mut client, &options).await.unwrap();
        assert_eq!((found(&done, story), done.done), (canary, canary));
        assert_eq!(hash(&client, &others).await, untouched);
        assert_eq!(story.losing(&client, &format!("tenant = '{CANARY}'")).await, 0);

        // Then all. Who stays is no accident: the earliest made, then the smallest key.
        let stay = format!(
            "SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM {table} EXCEPT SELECT id FROM {} l) s",
            story.losers()
        );
        let stay: Vec<i64> = client.query_one(&stay, &[]).await.unwrap().get(0);
        let done = guard
            .dedupe(&mut client, &Cleanup::dry_run().apply(&rest).pace(Pace::new().batch(50)))
            .await
            .unwrap();
        assert_eq!((found(&done, story), done.done, done.deferred), (all - canary, all - canary, 0));
        let left = format!("SELECT array_agg(id ORDER BY id) FROM {table}");
        let left: Vec<i64> = client.query_one(&left, &[]).await.unwrap().get(0);
        assert_eq!(left, stay);

        // The composite key is there, as a constraint, and refuses what it is for.
        guard.up(&mut client, &Up::new()).await.unwrap();
        let verified = guard.verify_rows(&mut client).await.unwrap();
        assert!(verified.is_ok(), "{verified}");
        assert_eq!(story.defined(&client).await.unwrap(), format!("UNIQUE ({})", story.columns.join(", ")));
        let again = format!(
            "INSERT INTO {table} SELECT (jsonb_populate_record(t, '{{\"id\": 1}}')).* FROM {table} t LIMIT 1"
        );
        let error = client.batch_execute(&again).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().constraint(), Some(story.key));

        // The way back: refused while the key holds; without it every row is as it was.
        let refused = guard.restore(&mut client, &rest, &Pace::new()).await.unwrap_err();
        assert!(matches!(refused, OpsError::RowRefused { .. }), "{refused:?}");
        guard.down(&mut client, &Down::new().all().dropping_column(true)).await.unwrap();
        assert_eq!(story.defined(&client).await, None);
        for file in [&rest, &first] {
            guard.restore(&mut client, file, &Pace::new()).await.unwrap();
        }
        assert_eq!(hash(&client, &table).await, before);
    }
}

/// What verify is for: a name is no key.
#[tokio::test]
async fn an_index_of_the_keys_name_or_a_key_over_other_columns_is_not_the_key() {
    let (_database, mut client) = setup().await;
    let story = &STORIES[0];
    let (guard, folder) = (story.guard(), Folder::new());
    guard.dedupe(&mut client, &Cleanup::dry_run().apply(folder.file("rows"))).await.unwrap();
    let (key, table) = (story.key, story.name());
    for (make, drop) in [
        (format!("CREATE UNIQUE INDEX {key} ON {table} (tenant, source)"), format!("DROP INDEX app.{key}")),
        (
            format!("ALTER TABLE {table} ADD CONSTRAINT {key} UNIQUE (tenant, source, id)"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {key}"),
        ),
        (
            format!("ALTER TABLE {table} ADD CONSTRAINT {key} UNIQUE (tenant, source) DEFERRABLE"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {key}"),
        ),
    ] {
        client.batch_execute(&make).await.unwrap();
        let found = guard.verify(&mut client).await.unwrap();
        assert_eq!(found.flaws.iter().map(|flaw| &*flaw.name).collect::<Vec<_>>(), [key], "{make}");
        client.batch_execute(&drop).await.unwrap();
    }
    guard.up(&mut client, &Up::new()).await.unwrap();
    assert!(guard.verify(&mut client).await.unwrap().is_ok());
}
