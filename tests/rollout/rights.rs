//! Privileges of the application's role: what `grants` prints, and what `verify` says of a role.

use kit::Database;
use slotkeeper::migrate::{Duty, Migrator, Note, OpsError, OpsErrorKind, Role, Verification};
use slotkeeper::resource::NewResource;
use slotkeeper::{ResourceKind, ResourceName, SchemaName, Slotkeeper, TenantId};
use tokio_postgres::Client;

struct Fixture {
    database: Database,
    client: Client,
    role: String,
}

impl Fixture {
    async fn open() -> Self {
        let database = kit::database().await.unwrap();
        let client = database.client().await.unwrap();
        let role = database.stranger().await.unwrap().get_user().unwrap().to_owned();
        Self { database, client, role }
    }

    async fn run(&self, sql: &str) {
        self.client.batch_execute(&sql.replace("{role}", &self.role)).await.unwrap();
    }

    async fn grant(&self, migrator: &Migrator, role: &Role) {
        let grants = migrator.grants(&self.client, role).await.unwrap();
        self.client.batch_execute(&grants.to_string()).await.unwrap();
    }

    async fn verify(&mut self, role: &Role) -> Verification {
        Migrator::new().for_role(role.clone()).verify(&mut self.client).await.unwrap()
    }
}

fn missing(table: &str, privilege: &str) -> Note {
    Note::MissingPrivilege { table: Some(table.into()), privilege: privilege.into() }
}

fn excess(table: &str, privilege: &str) -> Note {
    Note::ExcessPrivilege { table: Some(table.into()), privilege: privilege.into() }
}

/// Every set of duties that is not empty.
fn roles(name: &str) -> Vec<Role> {
    let chosen = |set: usize| (0..3).filter(move |bit| set & (1 << bit) != 0).map(|bit| Duty::ALL[bit]);
    (1..8).map(|set| Role::new(name).duties(chosen(set))).collect()
}

#[tokio::test]
async fn a_role_with_what_was_printed_fits_and_one_privilege_less_is_named() {
    let mut f = Fixture::open().await;
    for role in roles(&f.role.clone()) {
        let before = f.verify(&role).await;
        assert!(before.is_ok() && !before.role_fits(), "{role:?}: rights on nothing");
        assert_eq!(before.notes[0], Note::MissingPrivilege { table: None, privilege: "USAGE".into() });
        f.grant(&Migrator::new(), &role).await;
        assert_eq!(f.verify(&role).await.notes, [], "{role:?}");
        for grant in Migrator::new().grants(&f.client, &role).await.unwrap().privileges {
            let column = grant.column.map(|column| format!(" ({column})")).unwrap_or_default();
            let (clause, table) = (format!("{}{column}", grant.privilege), &grant.table);
            f.run(&format!("REVOKE {clause} ON slotkeeper.{table} FROM {{role}}")).await;
            assert_eq!(f.verify(&role).await.notes, [missing(table, &clause)], "{role:?}");
            f.run(&format!("GRANT {clause} ON slotkeeper.{table} TO {{role}}")).await;
        }
        f.run("DROP OWNED BY {role}").await;
    }
}

#[tokio::test]
async fn what_is_too_much_is_named_but_not_reading() {
    let mut f = Fixture::open().await;
    let (service, retention) = (Role::new(&f.role), Role::new(&f.role).duties(Duty::ALL));
    f.grant(&Migrator::new(), &service).await;
    f.run("GRANT SELECT ON ALL TABLES IN SCHEMA slotkeeper TO {role}").await;
    assert!(f.verify(&service).await.role_fits(), "reading changes nothing");
    f.run(
        "GRANT UPDATE, DELETE ON slotkeeper.confirmations TO {role}; GRANT DELETE, TRUNCATE ON slotkeeper.outbox TO {role};
         GRANT UPDATE (checksum) ON slotkeeper.migrations TO {role}; GRANT TRIGGER ON slotkeeper.holds TO PUBLIC;
         GRANT CREATE ON SCHEMA slotkeeper TO {role}",
    )
    .await;
    let found = f.verify(&service).await;
    assert!(found.is_ok() && !found.role_fits(), "a note, not a difference");
    let schema = Note::ExcessPrivilege { table: None, privilege: "CREATE".into() };
    let expected = [
        schema,
        excess("confirmations", "DELETE"),
        excess("confirmations", "UPDATE"),
        excess("holds", "TRIGGER"),
        excess("migrations", "UPDATE"),
        excess("outbox", "DELETE"),
        excess("outbox", "TRUNCATE"),
    ];
    assert_eq!(found.notes, expected);
    let text = found.to_string();
    assert!(text.contains("the role does not need the DELETE it has on table confirmations"), "{text}");

    // Since version 17 whoever may lock and rebuild a table need not own it.
    if f.database.server().version_num() >= 170_000 {
        f.run("GRANT MAINTAIN ON slotkeeper.allocations TO {role}").await;
        assert!(f.verify(&service).await.notes.contains(&excess("allocations", "MAINTAIN")));
    }

    // Of another duty it is needed; and even there a record is only locked.
    f.grant(&Migrator::new(), &retention).await;
    let found = f.verify(&retention).await;
    assert!(found.notes.contains(&excess("confirmations", "UPDATE")), "{found}");
    assert!(!found.notes.contains(&excess("confirmations", "DELETE")), "{found}");
}

#[tokio::test]
async fn an_owner_is_told_once_and_so_is_whoever_may_become_it() {
    let mut f = Fixture::open().await;
    let role = Role::new(&f.role);
    let every = |found: Verification| match found.notes.as_slice() {
        [Note::OwnerRole { tables }] => tables.len(),
        notes => panic!("{notes:?}"),
    };
    let superuser = f.database.config().get_user().unwrap().to_owned();
    assert_eq!(every(f.verify(&Role::new(superuser)).await), 10, "nine tables and the history");

    f.grant(&Migrator::new(), &role).await;
    assert!(f.verify(&role).await.role_fits());
    // The owner of one table, and of the schema, in which it may drop every other.
    f.run("ALTER TABLE slotkeeper.confirmations OWNER TO {role}").await;
    let found = f.verify(&role).await;
    assert!(found.notes.contains(&Note::OwnerRole { tables: vec!["confirmations".into()] }), "{found}");
    assert!(!found.notes.iter().any(|note| matches!(note, Note::ExcessPrivilege { .. })), "{found}");
    f.run("ALTER SCHEMA slotkeeper OWNER TO {role}").await;
    let found = f.verify(&role).await;
    assert!(found.notes.iter().any(|note| matches!(note, Note::OwnerRole { tables } if tables.len() == 10)));

    // A member that does not inherit becomes the owner by SET ROLE.
    let owner = format!("{}_owner", f.role);
    f.run(&format!(
        "ALTER SCHEMA slotkeeper OWNER TO CURRENT_USER; CREATE ROLE {owner}; ALTER ROLE {{role}} NOINHERIT;
         GRANT {owner} TO {{role}}; ALTER TABLE slotkeeper.confirmations OWNER TO {owner}"
    ))
    .await;
    let found = f.verify(&role).await;
    f.run(&format!("DROP OWNED BY {owner}; DROP ROLE {owner}")).await;
    assert!(found.notes.contains(&Note::OwnerRole { tables: vec!["confirmations".into()] }), "{found}");
}

#[tokio::test]
async fn a_role_that_does_not_exist_is_an_error_and_a_note() {
    let mut f = Fixture::open().await;
    let long = "x".repeat(64);
    for name in ["nobody at all", "", "PUBLIC", &long] {
        let error = Migrator::new().grants(&f.client, &name.into()).await.unwrap_err();
        assert_eq!(error, OpsError::UnknownRole { role: name.into() });
        assert_eq!((error.kind(), error.code()), (OpsErrorKind::Server, "unknown_role"));
        assert_eq!(error.to_string(), format!("role {name} does not exist"));
        assert_eq!(f.verify(&name.into()).await.notes, [Note::UnknownRole], "{name}");
    }
    assert!(Migrator::new().grants(&f.client, &Role::new(&f.role)).await.is_ok());
}

/// Another schema, under a name that is a word of SQL, and a role whose name would leave plain quotes.
#[tokio::test]
async fn names_are_quoted_and_the_schema_is_the_migrators() {
    let mut f = Fixture::open().await;
    let migrator = Migrator::new().in_schema(SchemaName::new("user").unwrap());
    migrator.up(&mut f.client).await.unwrap();
    let name = format!("we\"ird; {}", f.database.name());
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    f.run(&format!("CREATE ROLE {quoted}")).await;
    let role = Role::new(&name);
    f.grant(&migrator, &role).await;
    let fits = migrator.clone().for_role(role.clone()).verify(&mut f.client).await.unwrap();
    let elsewhere = f.verify(&role).await;
    f.run(&format!("SET ROLE {quoted}")).await;
    let keeper = Slotkeeper::in_schema(SchemaName::new("user").unwrap());
    let (kind, text) = (ResourceKind::new("table").unwrap(), ResourceName::new("1").unwrap());
    let new = NewResource::new(TenantId::SINGLE, kind, text);
    let works = keeper.resources().create(&f.client, &new).await;
    let refused = Slotkeeper::new().resources().create(&f.client, &new).await;
    f.run("RESET ROLE").await;
    f.run(&format!("DROP OWNED BY {quoted}; DROP ROLE {quoted}")).await;
    assert!(fits.is_ok() && fits.role_fits(), "{fits}");
    assert!(works.is_ok() && refused.is_err(), "in its own schema only: {works:?}, {refused:?}");
    assert_eq!(elsewhere.notes[0], Note::MissingPrivilege { table: None, privilege: "USAGE".into() });
    let grants = migrator.grants(&f.client, &Role::new(&f.role)).await.unwrap();
    assert_eq!(grants.statements[0], format!("GRANT USAGE ON SCHEMA \"user\" TO \"{}\"", f.role));
    let records = format!("GRANT SELECT, INSERT ON \"user\".\"confirmations\" TO \"{}\"", f.role);
    assert!(grants.statements.contains(&records), "{grants}");
}
