//! A way up that is killed at any moment is completed by the next one.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{catalog, visits};
use rand::{Rng as _, SeedableRng as _};
use slotkeeper::rollout::{Down, Guard, Pace, Up};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

const DATABASE: &str = "SLOTKEEPER_ROLLOUT_CHILD";

fn guard() -> Guard {
    visits::full_guard().build().unwrap()
}

/// The process that is killed. Alone it does nothing.
#[tokio::test]
#[ignore = "started by the campaign"]
async fn child() {
    let Ok(config) = std::env::var(DATABASE) else { return };
    let (mut client, connection) = config.parse::<Config>().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    guard().up(&mut client, &Up::new()).await.unwrap();
}

fn spawn(config: &Config) -> Child {
    let host = match &config.get_hosts()[0] {
        Host::Unix(path) => path.display().to_string(),
        Host::Tcp(name) => name.clone(),
    };
    let password = config.get_password().map(|text| String::from_utf8_lossy(text).into_owned());
    let text = format!(
        "host='{host}' port={} user='{}' dbname='{}' password='{}'",
        config.get_ports().first().unwrap_or(&5432),
        config.get_user().unwrap(),
        config.get_dbname().unwrap(),
        password.unwrap_or_default(),
    );
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "killed::child"])
        .env(DATABASE, text)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Objects of the guard's names with other definitions, so that they are replaced.
const OTHERWISE: &str = "
    ALTER TABLE app.visits ADD CONSTRAINT visits_party_check CHECK (party >= 0);
    ALTER TABLE app.visits ADD CONSTRAINT visits_table_fkey FOREIGN KEY (restaurant_id, table_id)
        REFERENCES app.tables (restaurant_id, id) DEFERRABLE;
    ALTER TABLE app.visits ADD CONSTRAINT visits_number_key UNIQUE (number, restaurant_id);
    CREATE UNIQUE INDEX visits_live_number_idx ON app.visits (number);
    CREATE INDEX visits_start_idx ON app.visits (starts_at);
    ALTER TABLE app.visits ADD CONSTRAINT visits_table_window_excl EXCLUDE USING gist (table_id WITH =,
        restaurant_id WITH =, tstzrange(starts_at, ends_at) WITH &&)";

async fn back(client: &mut Client, otherwise: bool) {
    guard().down(client, &Down::new().all().dropping_column(true)).await.unwrap();
    if otherwise {
        client.batch_execute(OTHERWISE).await.unwrap();
    }
}

/// SLOTKEEPER_ROLLOUT_KILLS=50
#[tokio::test]
#[ignore = "long: kills processes"]
async fn a_way_up_killed_at_any_moment_is_completed_by_the_next() {
    let kills = std::env::var("SLOTKEEPER_ROLLOUT_KILLS").map_or(50, |kills| kills.parse::<u32>().unwrap());
    let (database, mut client) = visits::clean().await;
    client
        .batch_execute(
            "INSERT INTO app.visits (id, restaurant_id, table_id, starts_at, ends_at, number)
             SELECT 1000 + n, '00000000-0000-0000-0000-00000000000a', n % 10 + 1,
                 timestamptz '2000-01-01' + n * interval '1 hour', timestamptz '2000-01-01' + (n + 2) * interval '1 hour',
                 1000 + n FROM generate_series(1, 5000) AS n",
        )
        .await
        .unwrap();
    let rows = catalog::rows(&client).await;
    let began = Instant::now();
    spawn(&database.config()).wait().unwrap();
    let whole = began.elapsed();
    let expected = catalog::read(&client).await;
    assert!(guard().verify(&mut client).await.unwrap().is_ok(), "the child does its work");
    let mut dice = rand::rngs::StdRng::seed_from_u64(71);
    let (mut early, mut halfway, mut late) = (0, 0, 0);
    for kill in 0..kills {
        back(&mut client, kill % 2 == 1).await;
        let before = catalog::read(&client).await;
        let mut child = spawn(&database.config());
        // Replacing takes longer than building.
        tokio::time::sleep(whole.mul_f64(dice.random_range(0.05..1.3))).await;
        child.kill().unwrap();
        child.wait().unwrap();
        let met = catalog::read(&client).await;
        // Not less protected than before: every constraint that was there is there, as it was or as it shall be.
        for line in before.lines().filter(|line| line.contains(" constraint ") && !met.contains(*line)) {
            assert!(
                expected.contains(
                    line.split(" FOREIGN")
                        .next()
                        .unwrap()
                        .split(" CHECK")
                        .next()
                        .unwrap()
                        .split(" UNIQUE")
                        .next()
                        .unwrap()
                        .split(" EXCLUDE")
                        .next()
                        .unwrap()
                ),
                "{line}"
            );
            let name = line.split(' ').nth(2).unwrap();
            let now = met.lines().find(|met| met.contains(&format!(" constraint {name} "))).unwrap();
            assert!(expected.contains(now), "{now}");
        }
        if met == before {
            early += 1;
        } else if met == expected {
            late += 1;
        } else {
            halfway += 1;
        }
        guard()
            .up(&mut client, &Up::new().pace(Pace::new().pause(Duration::from_millis(50)).attempts(400)))
            .await
            .unwrap();
        assert_eq!(catalog::read(&client).await, expected, "kill {kill}");
        assert_eq!(catalog::rows(&client).await, rows);
        assert!(guard().verify(&mut client).await.unwrap().is_ok());
    }
    println!(
        "{kills} kills within {whole:?}: {early} before anything was done, {halfway} halfway, {late} after all"
    );
}

/// SLOTKEEPER_ROLLOUT_TABLES=100
#[tokio::test]
#[ignore = "long: many databases"]
async fn clean_tables_raise_no_alarm() {
    let tables =
        std::env::var("SLOTKEEPER_ROLLOUT_TABLES").map_or(100, |tables| tables.parse::<u32>().unwrap());
    let mut slowest = Duration::ZERO;
    for table in 0..tables {
        let (_database, mut client) = visits::clean().await;
        // Sessions that print and read differently see the same.
        let zone = ["UTC", "Asia/Kathmandu", "America/New_York"][table as usize % 3];
        let style = ["ISO, DMY", "SQL, MDY", "German", "Postgres, DMY"][table as usize % 4];
        let path = ["\"$user\", public", "app", "app, pg_catalog", ""][table as usize % 4];
        let sql = format!("SET TimeZone = '{zone}'; SET DateStyle = '{style}'; SET search_path = {path}");
        client.batch_execute(&if path.is_empty() { sql + "''" } else { sql }).await.unwrap();
        let guard = visits::full_guard()
            .check("late", "created_at > timestamptz '2000-01-01 00:00:00+00'")
            .build()
            .unwrap();
        guard.up(&mut client, &Up::new()).await.unwrap();
        let other = _database.client().await;
        let mut other = other.unwrap();
        let began = Instant::now();
        for client in [&mut client, &mut other] {
            let found = guard.verify_rows(client).await.unwrap();
            assert!(found.is_ok(), "{found}");
            assert!(!guard.up(client, &Up::new()).await.unwrap().changed());
        }
        slowest = slowest.max(began.elapsed());
    }
    println!("{tables} clean tables, 0 alarms; slowest verification {slowest:?}");
}
