//! The migrated database that all others are copied from: migrating costs more than copying.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    process,
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::sync::Mutex;
use tokio_postgres::{Client, Config};

use crate::{
    Error, database,
    guard::{self, Guard},
};

/// All the kit makes on a server is named so; it never drops anything else.
const PREFIX: &str = "slotkeeper_kit_";
/// Younger leftovers may belong to a living run that has no connection just now.
const LEFTOVER_AFTER: Duration = Duration::from_secs(2 * 3600);

/// Brings an empty database to the current schema.
async fn migrate_template(client: &mut Client) -> Result<(), Error> {
    let applied = slotkeeper::migrate::Migrator::new().up(client).await;
    applied.map(drop).map_err(Error::on("migrate the template database"))
}

/// A server's template, made when first needed.
///
/// On our own server it is kept; on one that outlives us it lives as long as a database copied from it, because nothing
/// runs when a process ends that could drop it then.
#[derive(Default)]
pub(crate) struct Slot(Mutex<Held>);

#[derive(Default)]
struct Held {
    kept: Option<Arc<Guard>>,
    shared: Weak<Guard>,
}

impl Slot {
    pub(crate) async fn get(&self, admin: &Config, keep: bool) -> Result<Arc<Guard>, Error> {
        let mut held = self.0.lock().await;
        if let Some(template) = held.shared.upgrade() {
            return Ok(template);
        }
        let template = Arc::new(build(admin, !keep).await?);
        held.shared = Arc::downgrade(&template);
        held.kept = keep.then(|| Arc::clone(&template));
        Ok(template)
    }
}

/// Makes the template. Nobody can connect to it afterwards: a connection would make copying fail.
async fn build(admin: &Config, wait: bool) -> Result<Guard, Error> {
    let guard = Guard { name: name(), admin: admin.clone(), wait };
    let maintenance = database::connect(admin).await?;
    create(&maintenance, &guard.name, "template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'").await?;
    let mut config = admin.clone();
    config.dbname(&guard.name);
    let (mut client, connection) =
        config.connect(tokio_postgres::NoTls).await.map_err(Error::on("connect to the template database"))?;
    let connection = tokio::spawn(connection);
    migrate_template(&mut client).await?;
    drop(client);
    let _ = connection.await;
    let sql = format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", guard.name);
    maintenance.batch_execute(&sql).await.map_err(Error::on("close the template database"))?;
    Ok(guard)
}

/// `template` may carry further options.
pub(crate) async fn create(maintenance: &Client, name: &str, template: &str) -> Result<(), Error> {
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
    maintenance.batch_execute(&sql).await.map_err(Error::on("create a database"))
}

/// `slotkeeper_kit_<seconds>_<process>_<count>_<chance>` in hex: unique across processes and hosts, and dated.
pub(crate) fn name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let chance = RandomState::new().build_hasher().finish() as u32;
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{PREFIX}{:08x}_{:x}_{count:x}_{chance:08x}", now(), process::id())
}

/// Drops what killed runs left on a server that outlives them: ours by name, old, and without a connection.
pub(crate) async fn sweep(maintenance: &Client) -> Result<(), Error> {
    let unused = "SELECT datname::text FROM pg_database d WHERE starts_with(datname, $1) \
                  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)";
    let rows = maintenance.query(unused, &[&PREFIX]).await.map_err(Error::on("look for leftovers"))?;
    for row in rows {
        let name: String = row.get(0);
        if is_leftover(&name, now()) {
            // Without FORCE, and whoever else sweeps at this moment may win: both are fine.
            let _ = maintenance.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).await;
            let role = guard::stranger_of(&name);
            let _ = maintenance.batch_execute(&format!("DROP ROLE IF EXISTS {role}")).await;
        }
    }
    Ok(())
}

/// Judged by the date in the name; a name we cannot have given is never a leftover.
fn is_leftover(name: &str, now: u64) -> bool {
    let Some(rest) = name.strip_prefix(PREFIX) else { return false };
    let ours = rest.split('_').count() == 4 && rest.bytes().all(|b| b == b'_' || b.is_ascii_hexdigit());
    let made = rest.split('_').next().and_then(|date| u64::from_str_radix(date, 16).ok());
    ours && made.is_some_and(|made| made + LEFTOVER_AFTER.as_secs() < now)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_names_of_our_own_form_are_leftovers() {
        let old = format!("{PREFIX}65000000_1f_0_deadbeef");
        assert!(is_leftover(&old, now()));
        assert!(!is_leftover(&name(), now()), "made this second");
        for foreign in
            ["postgres", "slotkeeper_kit_", "slotkeeper_kit_65000000_mine", "slotkeeper_kit_65000000_1_2_x"]
        {
            assert!(!is_leftover(foreign, now()), "{foreign}");
        }
    }
}
