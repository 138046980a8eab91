//! An artifact that is not exactly what was written here is refused, by an error of its own, before any change.

use std::fs;
use std::path::Path;

use sha2::{Digest as _, Sha256};
use slotkeeper::migrate::OpsError;
use slotkeeper::rollout::{ArtifactError, Cleanup, Guard, Pace};
use tokio_postgres::Client;

use crate::support::files::Folder;
use crate::support::messy;

/// Three rows of one code and, of them, two in the artifact `rows`.
async fn deduped(client: &mut Client, folder: &Folder) -> Guard {
    client
        .batch_execute(
            "CREATE SCHEMA app; CREATE TABLE app.items (id bigint PRIMARY KEY, code text, note text);
             INSERT INTO app.items VALUES (1, 'a', 'x'), (2, 'a', 'y'), (3, 'a', NULL)",
        )
        .await
        .unwrap();
    let guard = Guard::on("app", "items").unique("items_code_key", &["code"]).build().unwrap();
    guard.dedupe(client, &Cleanup::dry_run().apply(folder.file("rows"))).await.unwrap();
    guard
}

/// What both ways of using it say; the table must be as before.
async fn refusal(client: &mut Client, guard: &Guard, path: &Path) -> ArtifactError {
    let before = messy::hash(client, "app.items").await;
    let restored = guard.restore(client, path, &Pace::new()).await.unwrap_err();
    let resumed = guard.dedupe(client, &Cleanup::dry_run().apply(path)).await.unwrap_err();
    assert_eq!(restored, resumed);
    assert_eq!(messy::hash(client, "app.items").await, before);
    match restored {
        OpsError::Artifact(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whatever_is_cut_off_is_noticed() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let guard = deduped(&mut client, &folder).await;
    let whole = fs::read(folder.file("rows")).unwrap();
    let path = folder.file("cut");
    let lines = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let cuts = (0..whole.len()).step_by(37).chain(lines).chain([whole.len() - 1]);
    for cut in cuts.filter(|cut| *cut < whole.len()) {
        fs::write(&path, &whole[..cut]).unwrap();
        let error = refusal(&mut client, &guard, &path).await;
        assert_eq!(error, ArtifactError::Truncated { path: path.clone() }, "cut at {cut}");
    }
    fs::write(&path, &whole).unwrap();
    guard.restore(&mut client, &path, &Pace::new()).await.unwrap();
}

#[tokio::test]
async fn one_changed_byte_is_noticed_wherever_it_is() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let guard = deduped(&mut client, &folder).await;
    let whole = fs::read(folder.file("rows")).unwrap();
    let path = folder.file("edited");
    for at in 0..whole.len() {
        for flip in [1, 0x20] {
            let mut edited = whole.clone();
            edited[at] ^= flip;
            fs::write(&path, &edited).unwrap();
            let error = guard.restore(&mut client, &path, &Pace::new()).await.unwrap_err();
            assert!(matches!(error, OpsError::Artifact(_)), "byte {at}: {error:?}");
        }
    }
    let mut longer = whole.clone();
    longer.extend_from_slice(b"{}\n");
    fs::write(&path, &longer).unwrap();
    assert!(matches!(refusal(&mut client, &guard, &path).await, ArtifactError::Truncated { .. }));
    // A value exchanged, line by line the same length: only the checksum can tell.
    let text = String::from_utf8(whole).unwrap().replace(r#""note":"y""#, r#""note":"z""#);
    fs::write(&path, text).unwrap();
    assert_eq!(refusal(&mut client, &guard, &path).await, ArtifactError::Damaged { path: path.clone() });
}

#[tokio::test]
async fn a_newer_format_another_table_and_another_shape_are_told_apart() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let guard = deduped(&mut client, &folder).await;
    let text = fs::read_to_string(folder.file("rows")).unwrap();
    let path = folder.file("newer");
    fs::write(&path, text.replace(r#""version":1,"#, r#""version":2,"#)).unwrap();
    let newer = ArtifactError::NewerVersion { found: 2, known: 1 };
    assert_eq!(refusal(&mut client, &guard, &path).await, newer);

    let path = folder.file("rows");
    let other = Guard::on("app", "others").unique("k", &["code"]).build().unwrap();
    client.batch_execute("CREATE TABLE app.others (id int PRIMARY KEY, code text)").await.unwrap();
    let error = refusal(&mut client, &other, &path).await;
    assert_eq!(error, ArtifactError::OtherTable { table: "app.others".into() });
    let error = guard.quarantine(&mut client, &Cleanup::dry_run().apply(&path)).await.unwrap_err();
    assert_eq!(error, OpsError::Artifact(ArtifactError::OtherPurpose));

    let other = |column: &str| ArtifactError::OtherShape { table: "app.items".into(), column: column.into() };
    for (change, back, column) in [
        ("ADD extra int", "DROP extra", "extra"),
        ("ALTER note TYPE varchar(9)", "ALTER note TYPE text", "note"),
        ("RENAME note TO remark", "RENAME remark TO note", "note"),
        (
            "DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (code)",
            "DROP CONSTRAINT items_pkey, ADD PRIMARY KEY (id)",
            "id",
        ),
    ] {
        client.batch_execute(&format!("ALTER TABLE app.items {change}")).await.unwrap();
        assert_eq!(refusal(&mut client, &guard, &path).await, other(column), "{change}");
        client.batch_execute(&format!("ALTER TABLE app.items {back}")).await.unwrap();
    }
    // The mark is no change of shape.
    client
        .batch_execute("ALTER TABLE app.items ADD slotkeeper_shadow boolean NOT NULL DEFAULT false")
        .await
        .unwrap();
    let back = guard.restore(&mut client, &path, &Pace::new()).await.unwrap();
    assert_eq!(back.restored, 2);
}

#[tokio::test]
async fn another_database_with_the_very_same_table_is_another_database() {
    let (database, twin, folder) =
        (kit::empty_database().await.unwrap(), kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let mut other = twin.client().await.unwrap();
    let elsewhere = Folder::new();
    let guard = deduped(&mut client, &folder).await;
    deduped(&mut other, &elsewhere).await;
    let path = folder.file("rows");
    assert_eq!(refusal(&mut other, &guard, &path).await, ArtifactError::OtherDatabase);
    guard.restore(&mut client, &path, &Pace::new()).await.unwrap();
}

#[tokio::test]
async fn paths_that_cannot_be_used_are_refused_before_anything_is_changed() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let guard = deduped(&mut client, &folder).await;
    guard.restore(&mut client, folder.file("rows"), &Pace::new()).await.unwrap();
    let before = messy::hash(&client, "app.items").await;
    for path in [folder.file("no/such/folder"), folder.path().to_owned(), folder.file("rows/below")] {
        let error = guard.dedupe(&mut client, &Cleanup::dry_run().apply(&path)).await.unwrap_err();
        assert!(matches!(error, OpsError::Artifact(ArtifactError::Io { .. })), "{error:?}");
        assert!(!error.to_string().contains("os error"), "{error}");
    }
    fs::write(folder.file("theirs"), "something else").unwrap();
    let error =
        guard.dedupe(&mut client, &Cleanup::dry_run().apply(folder.file("theirs"))).await.unwrap_err();
    assert!(matches!(error, OpsError::Artifact(ArtifactError::Truncated { .. })), "{error:?}");
    assert_eq!(fs::read_to_string(folder.file("theirs")).unwrap(), "something else", "never written over");
    assert_eq!(messy::hash(&client, "app.items").await, before);
}

#[tokio::test]
async fn a_type_that_stands_in_a_file_only_is_never_sent_to_the_server() {
    let (database, folder) = (kit::empty_database().await.unwrap(), Folder::new());
    let mut client = database.client().await.unwrap();
    let guard = deduped(&mut client, &folder).await;
    client
        .batch_execute("ALTER TABLE app.items ADD slotkeeper_shadow boolean NOT NULL DEFAULT false")
        .await
        .unwrap();
    let text = fs::read_to_string(folder.file("rows")).unwrap();
    let with = |ty: &str| {
        let column =
            format!(r#"{{"name":"note","type":"text"}},{{"name":"slotkeeper_shadow","type":"{ty}"}}"#);
        let body =
            text[..text.rfind("{\"rows\"").unwrap()].replace(r#"{"name":"note","type":"text"}"#, &column);
        let body = body.replace("\"row\":{", "\"row\":{\"slotkeeper_shadow\":\"f\",");
        let sum: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{body}{{\"rows\":2,\"sha256\":\"{sum}\"}}\n")
    };
    let path = folder.file("forged");
    fs::write(&path, with("boolean FROM app.items; DROP TABLE app.items; --")).unwrap();
    let shape = ArtifactError::OtherShape { table: "app.items".into(), column: "slotkeeper_shadow".into() };
    assert_eq!(refusal(&mut client, &guard, &path).await, shape);
    // As honest as the forgery is well made, it is taken.
    fs::write(&path, with("boolean")).unwrap();
    assert_eq!(guard.restore(&mut client, &path, &Pace::new()).await.unwrap().restored, 2);
}
