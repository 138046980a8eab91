//! A database that is dropped with its guard.

use std::{
    io::Write,
    sync::{OnceLock, mpsc},
    thread,
    time::Duration,
};

use tokio_postgres::Config;

use crate::{Error, database, offload};

/// Owns a database by name.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) name: String,
    /// Connects to the maintenance database.
    pub(crate) admin: Config,
    /// Wait until it is dropped: on a server that outlives this process. On our own, it happens when it happens.
    pub(crate) wait: bool,
}

struct Job {
    name: String,
    admin: Config,
    done: Option<mpsc::Sender<()>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let (done, finished) = mpsc::channel();
        let job = Job {
            name: std::mem::take(&mut self.name),
            admin: self.admin.clone(),
            done: self.wait.then_some(done),
        };
        let sent = dropper().is_some_and(|jobs| jobs.send(job).is_ok());
        if sent && self.wait {
            // Bounded: a test that passed is not to hang on cleaning up. The sweep gets what is left.
            let _ = finished.recv_timeout(Duration::from_secs(20));
        }
    }
}

/// One thread for the whole process: the runtime of whoever drops a guard may be gone or about to go.
fn dropper() -> Option<&'static mpsc::Sender<Job>> {
    static DROPPER: OnceLock<Option<mpsc::Sender<Job>>> = OnceLock::new();
    DROPPER
        .get_or_init(|| {
            let (jobs, queue) = mpsc::channel();
            let thread = thread::Builder::new().name("kit-dropper".into());
            thread.spawn(move || serve(&queue)).ok().map(|_| jobs)
        })
        .as_ref()
}

fn serve(queue: &mpsc::Receiver<Job>) {
    for job in queue {
        if let (Err(error), true) = (offload::drive(drop_database(&job)), job.done.is_some()) {
            let _ = writeln!(std::io::stderr(), "kit: {} was not dropped: {error}", job.name);
        }
        if let Some(done) = job.done {
            let _ = done.send(());
        }
    }
}

async fn drop_database(job: &Job) -> Result<(), Error> {
    let client = database::connect(&job.admin).await?;
    let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", job.name);
    client.batch_execute(&sql).await.map_err(Error::on("drop the database"))?;
    // Most databases have none; after the database nothing depends on it.
    let sql = format!("SET client_min_messages = error; DROP ROLE IF EXISTS {}", stranger_of(&job.name));
    client.batch_execute(&sql).await.map_err(Error::on("drop the role"))
}

/// The name of the role that comes with a database, if one was asked for.
pub(crate) fn stranger_of(database: &str) -> String {
    format!("{database}_role")
}
