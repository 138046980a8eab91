//! The command line, as an operator uses it: `cargo test --features cli --test rollout cli`.

mod rights;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kit::Database;
use serde_json::Value;

use crate::support::visits;

/// The program with a database, in a folder of its own.
struct Shell {
    url: String,
    folder: PathBuf,
}

impl Shell {
    fn new(database: &Database) -> Self {
        use tokio_postgres::config::Host;
        let config = database.config();
        let host = match &config.get_hosts()[0] {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        let user = config.get_user().unwrap();
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let password = config.get_password().map(|p| format!(" password='{}'", String::from_utf8_lossy(p)));
        let password = password.unwrap_or_default();
        let url = format!(
            "host='{host}' port={port} user={user}{password} dbname={} sslmode=disable",
            database.name()
        );
        let folder = std::env::temp_dir().join(format!("slotkeeper-cli-{}", database.name()));
        std::fs::create_dir(&folder).unwrap();
        Self { url, folder }
    }

    fn output(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_slotkeeper"))
            .args(args)
            .current_dir(&self.folder)
            .env("DATABASE_URL", &self.url)
            .output()
            .unwrap()
    }

    /// Its exit status and what it printed.
    fn run(&self, command: &str) -> (i32, String) {
        let output = self.output(&command.split_whitespace().collect::<Vec<_>>());
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
        println!("$ slotkeeper {command}\n{text}");
        (output.status.code().unwrap(), text)
    }

    fn json(&self, command: &str) -> Value {
        let output =
            self.output(&[&["--json"], &command.split_whitespace().collect::<Vec<_>>()[..]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn our_tables_go_up_are_verified_repaired_and_come_back_from_an_export() {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    let shell = Shell::new(&database);
    assert_eq!(shell.run("status").0, 3, "pending migrations are something to be dealt with");
    let (code, plan) = shell.run("plan");
    assert!(code == 3 && plan.contains("CREATE TABLE") && plan.contains("allocations"), "{plan}");
    assert_eq!(shell.run("preflight").0, 0);
    assert_eq!(shell.run("up").0, 0);
    assert_eq!(shell.run("up"), (0, "nothing to do\n".to_owned()));
    assert_eq!(shell.run("status").0, 0);
    assert_eq!(shell.run("verify").0, 0);

    // Dropped behind our back, and two rows that it would have refused.
    let sql = "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl";
    client.batch_execute(sql).await.unwrap();
    plant_overlap(&client).await;
    let (code, text) = shell.run("verify");
    assert!(code == 3 && text.contains("allocations_resource_during_excl is missing"), "{text}");
    assert_eq!(shell.run("repair").0, 3, "only said");
    let (code, text) = shell.run("repair --apply");
    assert!(code == 1 && text.contains("quarantine"), "{text}");
    assert_eq!(shell.run("quarantine").0, 3);
    assert_eq!(shell.run("quarantine --apply overlap.jsonl").0, 0);
    assert_eq!(shell.run("repair --apply").0, 0);
    assert_eq!(shell.run("verify --catalog-only").0, 0);

    // Down is refused while it would destroy rows, and gives them back.
    let rows = || async {
        client.query_one("SELECT count(*) FROM slotkeeper.allocations", &[]).await.unwrap().get::<_, i64>(0)
    };
    while shell.run("down").0 == 0 {}
    let (code, text) = shell.run("down");
    assert!(code == 1 && text.contains("--export"), "{text}");
    assert_eq!(rows().await, 2);
    assert_eq!(shell.run("down --export core.jsonl").0, 0);
    assert_eq!(shell.run("up").0, 0);
    assert_eq!(rows().await, 0);
    assert_eq!(shell.run("restore core.jsonl").0, 0);
    assert_eq!(rows().await, 2);
}

async fn plant_overlap(client: &tokio_postgres::Client) {
    let sql = "INSERT INTO slotkeeper.resources (tenant_id, id, kind, name, capacity, min_party, attributes, active, revision)
                 VALUES (gen_random_uuid(), gen_random_uuid(), 'table', '1', 2, 1, '{}', true, 1);
               INSERT INTO slotkeeper.allocations (tenant_id, id, resource_id, during, kind, claim_id)
                 SELECT r.tenant_id, gen_random_uuid(), r.id, '[2030-01-01 19:00+00,2030-01-01 21:00+00)', 'blackout',
                        gen_random_uuid() FROM slotkeeper.resources AS r, generate_series(1, 2)";
    client.batch_execute(sql).await.unwrap();
}

#[tokio::test]
async fn a_host_table_is_cleared_guarded_and_given_back() {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    visits::create(&client).await;
    let (a, b) = (visits::TENANT_A, visits::TENANT_B);
    let sql = format!(
        "INSERT INTO app.tables SELECT t::uuid, 1 FROM unnest(ARRAY['{a}', '{b}']) AS t;
         INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
         SELECT g, CASE WHEN g % 2 = 0 THEN '{a}' ELSE '{b}' END::uuid, 1,
                timestamptz '2030-01-01' + g * interval '40 min',
                timestamptz '2030-01-01' + g * interval '40 min' + interval '1 hour', g
         FROM generate_series(1, 40) AS g;
         UPDATE app.visits SET ends_at = ends_at + interval '1 hour' WHERE id IN (10, 21);
         UPDATE app.visits SET number = 2 WHERE id = 30"
    );
    client.batch_execute(&sql).await.unwrap();
    let shell = Shell::new(&database);
    describe(&shell.file("visits.json"));
    let guard = |command: &str| shell.run(&format!("guard -f visits.json {command}"));

    let preflight = shell.json("guard -f visits.json preflight");
    let text = preflight.to_string();
    assert!(text.contains("visits_excl") && text.contains("visits_number_key"), "{preflight:#}");
    assert_eq!(guard("preflight").0, 3);
    assert_eq!(guard("up").0, 1, "rows are in the way");
    // Counting needs no extension and changes nothing.
    client.batch_execute("DROP EXTENSION btree_gist").await.unwrap();
    let (code, text) = guard(&format!("observe {}", a.to_uppercase()));
    assert!(code == 3 && text.starts_with("observed\nvisits_excl: 1 rows"), "{text}");
    assert_eq!(guard("verify --catalog-only").0, 3);
    // The canary, and only its rows, in whatever form its id is written.
    let a = a.to_uppercase();
    assert_eq!(guard(&format!("quarantine --apply canary.jsonl --tenant {a}")).0, 0);
    assert_eq!(guard(&format!("enforce {a}")).0, 0);
    let (code, text) = guard(&format!("observe {b}"));
    assert!(code == 3 && text.starts_with("observed"), "{text}");
    assert_eq!(marked(&client).await, [12], "the later of the two, and none of the other tenant");
    assert_eq!(guard("quarantine --apply all.jsonl").0, 0);
    assert_eq!(guard("dedupe --apply keys.jsonl").0, 0);
    assert_eq!(guard("plan").0, 3);
    assert_eq!(guard("up").0, 0);
    assert_eq!(guard("plan").0, 0);
    assert_eq!(guard("verify").0, 0);
    assert_eq!(guard("preflight").0, 0);

    // And all the way back.
    let (code, text) = guard("restore canary.jsonl");
    assert!(code == 1 && text.contains("`down`"), "{text}");
    // The column would take the marks with it: refused before anything is dropped.
    let (code, text) = guard("down --drop-shadow");
    assert!(code == 1 && text.contains("--forget-marks"), "{text}");
    assert_eq!(guard("verify --catalog-only").0, 0, "all of it is still there");
    assert_eq!(guard("down --all --dry-run").0, 0);
    assert_eq!(guard("verify --catalog-only").0, 0);
    assert_eq!(guard("down --all").0, 0);
    for file in ["canary.jsonl", "all.jsonl", "keys.jsonl"] {
        assert_eq!(guard(&format!("restore {file}")).0, 0, "{file}");
    }
    assert!(marked(&client).await.is_empty());
    let count = client.query_one("SELECT count(*) FROM app.visits", &[]).await.unwrap();
    assert_eq!(count.get::<_, i64>(0), 40);
}

fn describe(file: &Path) {
    let text = r#"{
        "schema": "app", "table": "visits", "tenant": "restaurant_id", "created_at": "created_at",
        "live": "status <> 'cancelled'",
        "no_overlap": [{"name": "visits_excl", "resource": ["table_id"], "start": "starts_at", "end": "ends_at"}],
        "unique": [{"name": "visits_number_key", "columns": ["restaurant_id", "number"]}],
        "references": [{"name": "visits_table_fkey", "columns": ["restaurant_id", "table_id"],
                        "parent": ["app", "tables"], "key": ["restaurant_id", "id"]}],
        "checks": [{"name": "visits_party_check", "condition": "party > 0"}]
    }"#;
    std::fs::write(file, text).unwrap();
}

async fn marked(client: &tokio_postgres::Client) -> Vec<i64> {
    let rows =
        client.query("SELECT id FROM app.visits WHERE slotkeeper_shadow ORDER BY 1", &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn mistakes_are_told_without_the_password_and_by_their_exit_status() {
    let program = || Command::new(env!("CARGO_BIN_EXE_slotkeeper"));
    let run = |url: Option<&str>, args: &[&str]| {
        let mut program = program();
        program.args(args).env_remove("DATABASE_URL");
        program.envs(url.map(|url| ("DATABASE_URL", url)));
        let output = program.output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap(), text)
    };
    let (code, text) = run(None, &["status"]);
    assert_eq!((code, text.as_str()), (1, "slotkeeper: DATABASE_URL is not set\n"));
    for url in
        ["postgres://u:s3cret@127.0.0.1:1/db?sslmode=disable", "nonsense s3cret", "port=x password=s3cret"]
    {
        let (code, text) = run(Some(url), &["--json", "up"]);
        assert_eq!(code, 1, "{text}");
        assert!(!text.contains("s3cret") && text.contains("\"error\""), "{text}");
    }
    assert_eq!(run(None, &["upp"]).0, 2);
    assert_eq!(run(Some("host=/nowhere"), &["--schema", "Bad Name", "up"]).0, 1);
    let (code, text) = run(Some("host=/nowhere"), &["guard", "-f", "/nowhere.json", "up"]);
    assert!(code == 1 && text.contains("/nowhere.json"), "{text}");
    assert_eq!(run(None, &["--help"]).0, 0);
}
