//! One connection through the proxy.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::{Buf, Bytes};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, tcp},
    sync::{Notify, mpsc},
};

use super::{
    alarm::Alarm,
    frames::Frames,
    meter::{Fate, Meter},
    target::{Reader, Target, Writer},
    turn::Turn,
};

/// What a client may ask for before it starts: encryption of two kinds, or to cancel a query of another connection.
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
const CANCEL: u32 = 80_877_102;

struct Link {
    meter: Arc<Meter>,
    alarm: Alarm,
    turn: Mutex<Turn>,
    cut: Notify,
}

/// Messages that came together, and when they are due on the other side.
type Due = (Instant, Vec<Bytes>);

/// Serves a client until either side ends or the connection is cut.
pub(super) async fn serve(client: TcpStream, target: Target, meter: Arc<Meter>, alarm: Alarm) -> Option<()> {
    client.set_nodelay(true).ok()?;
    let (from_client, mut to_client) = client.into_split();
    let mut from_client = Frames::new(from_client);
    let (from_server, mut to_server) = target.connect().await.ok()?;
    let mut from_server = Frames::new(from_server);
    loop {
        let first = from_client.first().await?;
        let code = first.get(4..8)?.get_u32();
        if code == SSL || code == GSS {
            to_client.write_all(b"N").await.ok()?;
            continue;
        }
        to_server.write_all(&first).await.ok()?;
        if code == CANCEL {
            // The server answers by closing: passing that on tells the client that it was received.
            while from_server.batch().await.is_some() {}
            return None;
        }
        break;
    }
    let link = Link { meter, alarm, turn: Mutex::default(), cut: Notify::new() };
    let (up, upward) = mpsc::unbounded_channel();
    let (down, downward) = mpsc::unbounded_channel();
    tokio::select! {
        _ = async { tokio::join!(link.listen_to_client(from_client, up), link.deliver(upward, to_server)) } => {}
        _ = async { tokio::join!(link.listen_to_server(from_server, down), link.answer(downward, to_client)) } => {}
        () = link.cut.notified() => {}
    }
    Some(())
}

impl Link {
    fn turn(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> Instant {
        Instant::now() + self.meter.delay()
    }

    async fn listen_to_client(&self, mut client: Frames<tcp::OwnedReadHalf>, up: mpsc::UnboundedSender<Due>) {
        while let Some(batch) = client.batch().await {
            let mut fates = batch.iter().map(|frame| self.turn().client(frame[0], &self.meter));
            if fates.any(|fate| fate == Fate::CutRequest) {
                self.cut.notify_one();
                // Not another byte of it: we are dropped here.
                return std::future::pending().await;
            }
            if up.send((self.due(), batch)).is_err() {
                return;
            }
        }
    }

    async fn listen_to_server(&self, mut server: Frames<Reader>, down: mpsc::UnboundedSender<Due>) {
        while let Some(batch) = server.batch().await {
            if down.send((self.due(), batch)).is_err() {
                return;
            }
        }
    }

    async fn deliver(&self, mut queue: mpsc::UnboundedReceiver<Due>, mut server: Writer) {
        while let Some(batch) = self.next(&mut queue).await {
            if server.write_all(&batch.concat()).await.is_err() {
                return;
            }
        }
    }

    async fn answer(&self, mut queue: mpsc::UnboundedReceiver<Due>, mut client: tcp::OwnedWriteHalf) {
        while let Some(batch) = self.next(&mut queue).await {
            let withheld = self.turn().withholds();
            if !withheld && client.write_all(&batch.concat()).await.is_err() {
                return;
            }
            // All of a link is one task, so nothing the client says to this is looked at before it is noted.
            batch.iter().for_each(|frame| self.turn().server(frame[0]));
            if self.turn().cut_is_due() {
                self.cut.notify_one();
                return std::future::pending().await;
            }
        }
    }

    /// What is next, once it is due. What came together goes on together, in one write.
    async fn next(&self, queue: &mut mpsc::UnboundedReceiver<Due>) -> Option<Vec<Bytes>> {
        let (due, batch) = queue.recv().await?;
        self.alarm.until(due).await;
        Some(batch)
    }
}
