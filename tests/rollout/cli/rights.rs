//! `grants` and `verify --role` from a shell.

use super::Shell;

#[tokio::test]
async fn grants_are_printed_run_and_verified() {
    let database = kit::database().await.unwrap();
    let client = database.client().await.unwrap();
    let shell = Shell::new(&database);
    let role = database.stranger().await.unwrap().get_user().unwrap().to_owned();
    let (code, text) = shell.run(&format!("verify --role {role}"));
    assert!(code == 3 && text.contains("the role lacks INSERT on table confirmations"), "{text}");
    let (code, service) = shell.run(&format!("grants --role {role}"));
    assert!(code == 0 && !service.contains("DELETE"), "{service}");
    client.batch_execute(&service).await.unwrap();
    assert_eq!(shell.run(&format!("verify --role {role}")).0, 0);

    // A relay has more to do.
    let (code, text) = shell.run(&format!("verify --catalog-only --role {role} --relay"));
    assert!(code == 3 && text.contains("the role lacks DELETE on table outbox"), "{text}");
    let (_, all) = shell.run(&format!("grants --role {role} --relay --retention"));
    client.batch_execute(&all).await.unwrap();
    assert_eq!(shell.run(&format!("verify --role {role} --relay --retention")).0, 0);
    let (code, text) = shell.run(&format!("verify --role {role}"));
    assert!(code == 3 && text.contains("does not need the DELETE it has on table confirmations"), "{text}");

    let alone = shell.json(&format!("grants --role {role} --no-service --relay"));
    assert_eq!(alone["duties"], serde_json::json!(["relay"]));
    let events =
        |privilege: &str| serde_json::json!({"table": "outbox", "privilege": privilege, "column": null});
    assert_eq!(alone["privileges"], serde_json::json!([events("SELECT"), events("DELETE")]));
    assert_eq!(alone["statements"].as_array().unwrap().len(), 2, "the schema, and one table");

    let (code, text) = shell.run("grants --role nobody_here");
    assert_eq!((code, text.as_str()), (1, "slotkeeper: role nobody_here does not exist\n"));
    let (code, text) = shell.run("verify --role nobody_here");
    assert!(code == 3 && text.contains("there is no such role"), "{text}");
    for wrong in ["grants", "grants --role x --no-service", "verify --relay", "verify --retention"] {
        assert_eq!(shell.run(wrong).0, 2, "{wrong}");
    }
}

#[tokio::test]
async fn grants_are_for_the_schema_named_and_quote_the_role() {
    let database = kit::empty_database().await.unwrap();
    let client = database.client().await.unwrap();
    let shell = Shell::new(&database);
    assert_eq!(shell.run("up --schema other").0, 0);
    let name = format!("we\"ird role of {}", database.name());
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    client.batch_execute(&format!("CREATE ROLE {quoted}")).await.unwrap();
    let grants = shell.output(&["grants", "--schema", "other", "--role", &name]);
    let grants = String::from_utf8(grants.stdout).unwrap();
    let run = client.batch_execute(&grants).await;
    let verified = shell.output(&["verify", "--schema", "other", "--role", &name]).status.code();
    client.batch_execute(&format!("DROP OWNED BY {quoted}; DROP ROLE {quoted}")).await.unwrap();
    run.unwrap();
    assert_eq!(verified, Some(0));
    assert!(grants.starts_with(&format!("GRANT USAGE ON SCHEMA \"other\" TO {quoted};\n")), "{grants}");
}
