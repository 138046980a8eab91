//! A proxy that knows the protocol: counts round trips, makes them slow, and loses them.
//!
//! What a write costs is how often it waits for the server, and what a network does at its worst is to lose the answer to
//! a commit. Neither can be seen or caused on a local socket; here both can.
//!
//! A **round trip** begins when the client sends something that will be answered while no answer is owed to it. So
//! messages pipelined before the answer came are one round trip, however they were packed. Not counted: logging in, and
//! closing a prepared statement, which no caller waits for.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let database = kit::database().await?;
//! let proxy = kit::proxy::Proxy::start(&database).await?;
//! let client = proxy.pool(1).get().await?;
//! proxy.reset();
//! client.batch_execute("SELECT 1; SELECT 2").await?;
//! assert_eq!(proxy.round_trips(), 1);
//! # Ok(())
//! # }
//! ```

mod alarm;
mod frames;
mod link;
mod meter;
mod target;
mod turn;

use std::{collections::BTreeMap, fmt, sync::Arc, thread, time::Duration};

use deadpool_postgres::Pool;
use tokio::{net::TcpListener, runtime::Builder, sync::oneshot};
use tokio_postgres::Config;

use crate::{Database, Error, database};
use alarm::Alarm;
use meter::{Fate, Meter};
use target::Target;

/// Stands between a client and a [`Database`] on a port of the loopback interface; ends, and cuts what it holds, when
/// dropped.
///
/// It has two threads of its own: its delays do not depend on how busy the caller's runtime is.
pub struct Proxy {
    config: Config,
    meter: Arc<Meter>,
    /// Only held: closing it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Proxy {
    /// Opens the port.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(target: &Database) -> Result<Self, Error> {
        let server = Target::of(&target.config())?;
        let action = "start the proxy";
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).map_err(Error::on(action))?;
        listener.set_nonblocking(true).map_err(Error::on(action))?;
        let port = listener.local_addr().map_err(Error::on(action))?.port();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::on(action))?;
        let (stop, stopped) = oneshot::channel();
        let meter = Arc::new(Meter::default());
        let shared = Arc::clone(&meter);
        let alarm = Alarm::start().map_err(Error::on(action))?;
        let thread = thread::Builder::new().name("kit-proxy".into());
        let serving = move || {
            // Leaving drops the runtime, and with it every connection.
            runtime.block_on(async {
                tokio::select! { () = accept(listener, server, shared, alarm) => {}, _ = stopped => {} }
            });
        };
        thread.spawn(serving).map_err(Error::on(action))?;
        Ok(Self { config: Target::through(&target.config(), port), meter, _stop: stop })
    }

    /// Connects through the proxy, as the database's owner.
    pub fn config(&self) -> Config {
        self.config.clone()
    }

    /// A pool whose connections go through the proxy.
    pub fn pool(&self, max_size: usize) -> Pool {
        database::pool(self.config(), max_size)
    }

    /// Round trips of all connections since [`reset`](Self::reset).
    pub fn round_trips(&self) -> u64 {
        self.meter.round_trips()
    }

    /// Messages of the clients since [`reset`](Self::reset), by their type in the protocol: `P`arse, `B`ind,
    /// `E`xecute, `S`ync, `Q`uery …
    pub fn messages(&self) -> BTreeMap<char, u64> {
        self.meter.messages()
    }

    /// Counts from zero again.
    pub fn reset(&self) {
        self.meter.reset();
    }

    /// Holds everything back for so long in each direction, from now on: exact to some 0.1 ms on an idle machine.
    pub fn delay(&self, each_way: Duration) {
        self.meter.set_delay(each_way);
    }

    /// Lets the next flight reach the server, and closes both sides once the server has answered: it is done, and the
    /// client cannot know.
    pub fn cut_next_reply(&self) {
        self.cut_reply(1);
    }

    /// Closes both sides instead of passing on the next flight: it is not done, and the client cannot know.
    pub fn cut_next_request(&self) {
        self.cut_request(1);
    }

    /// As [`cut_next_reply`](Self::cut_next_reply), for the `nth` flight from now: 1 is the next. The last call decides.
    pub fn cut_reply(&self, nth: u64) {
        self.meter.cut(nth, Fate::CutReply);
    }

    /// As [`cut_next_request`](Self::cut_next_request), for the `nth` flight from now: 1 is the next. The last call
    /// decides.
    pub fn cut_request(&self, nth: u64) {
        self.meter.cut(nth, Fate::CutRequest);
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("meter", &self.meter).finish_non_exhaustive()
    }
}

async fn accept(listener: std::net::TcpListener, server: Target, meter: Arc<Meter>, alarm: Alarm) {
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(link::serve(client, server.clone(), Arc::clone(&meter), alarm.clone()));
    }
}
