//! A server: found, started, described, shared.

mod account;
mod find;
mod folder;
mod local;
mod npm;
mod postmaster;
mod settings;
mod watchdog;

use std::{
    fmt,
    io::Write,
    path::Path,
    sync::{Arc, OnceLock},
};

use tokio_postgres::Config;

pub use settings::Settings;

use crate::{Database, Error, database, guard::Guard, offload, template};
use find::Source;
use postmaster::Postmaster;
use settings::Found;

/// A PostgreSQL server: our own, or the one `DATABASE_URL` names. Clones are handles on the same one.
///
/// Our own is stopped and removed when the last handle goes, or when the process ends in whatever way.
#[derive(Clone)]
pub struct Server(Arc<Inner>);

struct Inner {
    /// Connects to the maintenance database.
    admin: Config,
    settings: Settings,
    found: Found,
    template: template::Slot,
    postmaster: Option<Postmaster>,
}

impl Server {
    /// The process's server of this flavour: started at most once, and a failure is told to everyone who asks.
    pub(crate) async fn shared(settings: Settings) -> Result<Self, Error> {
        static TEST: OnceLock<Result<Server, Error>> = OnceLock::new();
        static DURABLE: OnceLock<Result<Server, Error>> = OnceLock::new();
        let cell = match settings {
            Settings::Test => &TEST,
            Settings::Durable => &DURABLE,
        };
        match cell.get() {
            Some(server) => server.clone(),
            None => offload::blocking(move || cell.get_or_init(|| start(settings)).clone()).await,
        }
    }

    /// A server that is nobody else's, for tests of restarts and settings. With `DATABASE_URL` it is that one.
    ///
    /// # Errors
    /// If none is found or it does not start; the text says what to do.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        offload::blocking(move || start(settings)).await
    }

    /// A new migrated database, a copy of the template.
    ///
    /// # Errors
    /// If the server refuses, or the migration does.
    pub async fn database(&self) -> Result<Database, Error> {
        let template = self.0.template.get(&self.0.admin, self.is_ours()).await?;
        // Copying files beats logging each block, but forces a checkpoint: only where that disturbs nobody.
        let copy = self.0.postmaster.is_some() && self.0.found.version_num >= 150_000;
        let strategy = if copy { " STRATEGY file_copy" } else { "" };
        self.create(&format!("{}{strategy}", template.name), Some(Arc::clone(&template))).await
    }

    /// A new database with nothing in it.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn empty_database(&self) -> Result<Database, Error> {
        self.create("template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'", None).await
    }

    async fn create(&self, from: &str, template: Option<Arc<Guard>>) -> Result<Database, Error> {
        let maintenance = database::connect(&self.0.admin).await?;
        let guard = Guard { name: template::name(), admin: self.0.admin.clone(), wait: !self.is_ours() };
        template::create(&maintenance, &guard.name, from).await?;
        Ok(Database::new(guard, template, self.clone()))
    }

    fn is_ours(&self) -> bool {
        self.0.postmaster.is_some()
    }

    /// As the server gives it, `15.18` say.
    pub fn version(&self) -> &str {
        &self.0.found.version
    }

    /// As `server_version_num`, 150018 say: for what only some versions do.
    pub fn version_num(&self) -> i32 {
        self.0.found.version_num
    }

    /// Which server, from where, with which settings: put it next to every figure measured.
    pub fn describe(&self) -> &str {
        &self.0.found.describe
    }

    /// What was asked for. A server named by `DATABASE_URL` has its own settings: [`Server::describe`] has those.
    pub fn settings(&self) -> Settings {
        self.0.settings
    }

    /// The folder of its socket, and of all else it has; none if it is not our own.
    pub fn socket_dir(&self) -> Option<&Path> {
        self.0.postmaster.as_ref().map(Postmaster::folder)
    }

    /// Its process; none if it is not our own.
    pub fn pid(&self) -> Option<u32> {
        self.0.postmaster.as_ref().map(Postmaster::pid)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.0.found.describe).finish()
    }
}

/// Finds, starts, asks and announces. Blocks.
fn start(settings: Settings) -> Result<Server, Error> {
    let (admin, postmaster, origin) = match find::find()? {
        Source::Url(admin) => (*admin, None, "DATABASE_URL".to_owned()),
        Source::Binaries { bin, origin } => {
            let postmaster = Postmaster::start(&bin, settings)?;
            (postmaster.config(), Some(postmaster), origin)
        }
    };
    let found = offload::drive(settings::read(&admin, &origin, postmaster.is_none()))?;
    // Not `eprintln!`: the test harness would swallow it.
    let _ = writeln!(std::io::stderr(), "kit: {}", found.describe);
    Ok(Server(Arc::new(Inner { admin, settings, found, template: template::Slot::default(), postmaster })))
}
