//! Every write of the library, each prepared so that it succeeds, with the rows it must add: no more, no fewer.

use super::state::*;
use crate::support::*;
use chrono::TimeDelta;
use slotkeeper::{
    BlackoutId, CustomerRef, Executor, Reference, ResourceId, Result, Slotkeeper,
    allocation::*,
    booking::*,
    confirmation::Decision,
    hold::*,
    resource::{NewResource, UpdateResource},
};

/// The names [`Act::prepare`] knows: every write there is.
pub const WRITES: [&str; 19] = [
    "place one",
    "place many",
    "replace",
    "extend",
    "release",
    "sweep",
    "request",
    "confirm",
    "confirm late",
    "book one",
    "book many",
    "cancel",
    "move",
    "erase",
    "block",
    "unblock",
    "create",
    "update",
    "deactivate",
];

/// One write, ready to be sent any number of times.
pub struct Act {
    pub name: &'static str,
    pub rows: Rows,
    what: What,
    tenant: slotkeeper::TenantId,
}

enum What {
    Place(PlaceHold),
    Replace(ReplaceHold),
    Extend(ExtendHold),
    Release(ReleaseHold),
    Sweep(SweepHolds),
    Request(RequestBooking),
    Confirm(ConfirmHold),
    Book(BookPlaces),
    Cancel(CancelBooking),
    Move(MoveBooking),
    Erase(EraseCustomer),
    Block(Block),
    Unblock(BlackoutId),
    Create(NewResource),
    Update(UpdateResource),
    Deactivate(ResourceId),
}

/// What a call answered, in a form that can be compared.
#[derive(Debug)]
pub struct Answer {
    pub body: String,
    /// Of a recorded call: whether it was the record of an earlier one.
    pub replay: Option<bool>,
}

impl Act {
    /// On resources of its own, so acts of one database do not meet.
    pub async fn prepare(h: &House, write: &'static str) -> Self {
        let (k, db, t) = (&h.keeper, &h.pool, h.tables(2).await);
        let hold = async || k.holds().place(db, &PlaceHold::new(h.tenant, all(&t, 0, 30))).await.unwrap();
        let new = BookPlaces::new(h.tenant, all(&t, 0, 30), fresh_key());
        let book = async |new: &BookPlaces| k.bookings().book(db, new).await.unwrap().booking.unwrap();
        // resources, holds, allocations, bookings, history, confirmations, outbox
        let (what, rows) = match write {
            "place one" => (What::Place(PlaceHold::new(h.tenant, one(t[0], 0, 30))), [0, 1, 1, 0, 0, 0, 0]),
            "place many" => (What::Place(PlaceHold::new(h.tenant, all(&t, 0, 30))), [0, 1, 2, 0, 0, 0, 0]),
            "replace" => {
                let new = PlaceHold::new(h.tenant, all(&t, 10, 40));
                (What::Replace(ReplaceHold::new(hold().await.id, new)), [0, 1, 2, 0, 0, 0, 0])
            }
            "extend" => {
                let hold = hold().await;
                let until = hold.expires_at + TimeDelta::hours(1);
                (What::Extend(ExtendHold::new(h.tenant, hold.id, until).unwrap()), [0; 7])
            }
            "release" => (What::Release(ReleaseHold::new(h.tenant, hold().await.id)), [0; 7]),
            "sweep" => {
                expire(h, hold().await.id).await;
                (What::Sweep(SweepHolds::new(h.tenant)), [0; 7])
            }
            "request" => (What::Request(RequestBooking::new(h.tenant, window(0, 30))), [0, 0, 0, 1, 1, 0, 0]),
            "confirm" => {
                let confirm = ConfirmHold::new(h.tenant, hold().await.id, fresh_key());
                (What::Confirm(confirm), [0, 0, 0, 1, 1, 1, 1])
            }
            "confirm late" => {
                let id = hold().await.id;
                expire(h, id).await;
                let confirm = ConfirmHold::new(h.tenant, id, fresh_key()).if_still_free();
                (What::Confirm(confirm), [0, 0, 0, 1, 1, 1, 1])
            }
            "book one" => {
                let new = BookPlaces::new(h.tenant, one(t[0], 0, 30), fresh_key());
                (What::Book(new), [0, 0, 1, 1, 1, 1, 1])
            }
            "book many" => (What::Book(new), [0, 0, 2, 1, 1, 1, 1]),
            "cancel" => {
                let cancel = CancelBooking::new(h.tenant, book(&new).await, fresh_key());
                (What::Cancel(cancel), [0, 0, 0, 0, 1, 1, 1])
            }
            "move" => {
                let to = all(&t, 10, 40);
                let request = MoveBooking::new(h.tenant, book(&new).await, 1, to, fresh_key());
                (What::Move(request), [0, 0, 2, 0, 1, 1, 1])
            }
            "erase" => {
                let who = CustomerRef::new(fresh_key().as_str()).unwrap();
                book(&new.details(BookingDetails::new().customer(who.clone()))).await;
                (What::Erase(EraseCustomer::new(h.tenant, who, fresh_key())), [0, 0, 0, 0, 0, 1, 1])
            }
            "block" => (What::Block(Block::new(h.tenant, all(&t, 0, 30))), [0, 0, 2, 0, 0, 0, 1]),
            "unblock" => {
                let block = Block::new(h.tenant, all(&t, 0, 30));
                let id = k.allocations().block(db, &block).await.unwrap();
                (What::Unblock(id), [0, 0, 0, 0, 0, 0, 1])
            }
            "create" => (
                What::Create(NewResource::new(h.tenant, kind("room"), name("a room"))),
                [1, 0, 0, 0, 0, 0, 0],
            ),
            "update" => {
                let read = k.resources().find(db, h.tenant, t[0]).await.unwrap().unwrap();
                let update = UpdateResource::from(h.tenant, &read).name(name("another"));
                (What::Update(update.reference(Some(Reference::new(fresh_key().as_str()).unwrap()))), [0; 7])
            }
            "deactivate" => (What::Deactivate(t[0]), [0; 7]),
            other => panic!("no write is called {other}"),
        };
        Self { name: write, rows, what, tenant: h.tenant }
    }

    pub async fn run(&self, k: &Slotkeeper, db: &dyn Executor) -> Result<Answer> {
        let plain = |body: String| Answer { body, replay: None };
        Ok(match &self.what {
            What::Place(it) => plain(format!("{:?}", k.holds().place(db, it).await?)),
            What::Replace(it) => plain(format!("{:?}", k.holds().replace(db, it).await?)),
            What::Extend(it) => plain(format!("{:?}", k.holds().extend(db, it).await?)),
            What::Release(it) => plain(format!("{:?}", k.holds().release(db, it).await?)),
            // A second sweep finds nothing to do, so its figures are no part of the answer.
            What::Sweep(it) => plain(k.holds().sweep(db, it).await.map(|_| "swept".to_owned())?),
            What::Request(it) => plain(format!("{:?}", k.bookings().request(db, it).await?)),
            What::Confirm(it) => recorded(&k.bookings().confirm(db, it).await?),
            What::Book(it) => recorded(&k.bookings().book(db, it).await?),
            What::Cancel(it) => recorded(&k.bookings().cancel(db, it).await?),
            What::Move(it) => recorded(&k.bookings().move_to(db, it).await?),
            What::Erase(it) => recorded(&k.bookings().erase(db, it).await?),
            What::Block(it) => plain(format!("{:?}", k.allocations().block(db, it).await?)),
            What::Unblock(id) => plain(format!("{:?}", k.allocations().unblock(db, self.tenant, *id).await?)),
            What::Create(it) => plain(format!("{:?}", k.resources().create(db, it).await?)),
            What::Update(it) => plain(format!("{:?}", k.resources().update(db, it).await?)),
            What::Deactivate(id) => {
                let now = k.resources().deactivate(db, self.tenant, *id).await?;
                plain(format!("{} {} {}", now.id, now.active, now.revision))
            }
        })
    }
}

fn recorded(decision: &Decision) -> Answer {
    assert!(decision.outcome.is_success(), "{decision:?}");
    Answer { body: body(decision), replay: Some(decision.is_replay()) }
}

/// Everything a decision says, except whether it is a replay.
pub fn body(it: &Decision) -> String {
    let snapshot = serde_json::to_string(&it.snapshot).unwrap();
    format!("{:?} {} {:?} {} {snapshot}", it.outcome, it.confirmation, it.booking, it.decided_at)
}
