//! Ways to claim places: the library's, and those that services write by hand without it.
//!
//! Each by-hand recipe has a table of its own, like `allocations` in columns, checks, keys and past, with the index or
//! constraint its users would have. None of them keeps a hold, names who is in the way or takes over expired rows: they
//! do less than the library, so a ratio between the two flatters them.

mod by_hand;
mod tables;

pub use tables::{BARE_HEAP, set_up};

use super::fresh_key;
use deadpool_postgres::Client;
use slotkeeper::{
    Claim, Error, ResourceId, Slotkeeper, TenantId, Window, booking::BookPlaces, confirmation::Outcome,
    hold::PlaceHold,
};

/// One way to claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipe {
    /// `holds().place`.
    Library,
    /// `bookings().book`.
    LibraryBook,
    /// One INSERT into `allocations`, no look, no answer to a refusal: the floor. Only for windows nobody else wants.
    BareInsert,
    /// Lock the resource's row, look, insert, commit.
    LockedLook,
    /// Insert and let the exclusion constraint decide; its error is the refusal.
    InsertCatch,
    /// An advisory lock on tenant and resource, look, insert, commit.
    Advisory,
    /// Look and insert at SERIALIZABLE, repeated when the server asks for it. No constraint: the level is trusted, and
    /// a b-tree on resource and start makes the look.
    Serializable,
    /// The same with a look by GiST index, and it double-books. A look that matches nothing locks the pages it read, the
    /// root perhaps alone; the first insert widens the root, the second then fits below it, and the server checks only
    /// the pages an insert changes (seen on PostgreSQL 15.18, step by step).
    SerializableGist,
    /// Look, insert, commit, and nothing that keeps two looks apart. It double-books: the control of every check.
    LookOnly,
}

/// What a caller wants, in the order the caller named it.
#[derive(Clone, Debug)]
pub struct Wish {
    pub tenant: TenantId,
    pub tables: Vec<ResourceId>,
    pub window: Window,
}

/// What the caller was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All of it is the caller's.
    Won,
    /// Somebody else has part of it.
    Refused,
    /// Nobody decided; the recipe had repeated as often as it does.
    Busy,
    /// The server broke a deadlock at this caller's expense.
    Deadlocked,
}

impl Recipe {
    pub const ALL: [Self; 9] = [
        Self::Library,
        Self::LibraryBook,
        Self::BareInsert,
        Self::LockedLook,
        Self::InsertCatch,
        Self::Advisory,
        Self::Serializable,
        Self::SerializableGist,
        Self::LookOnly,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::LibraryBook => "library_book",
            Self::BareInsert => "bare_insert",
            Self::LockedLook => "locked_look",
            Self::InsertCatch => "insert_catch",
            Self::Advisory => "advisory",
            Self::Serializable => "serializable",
            Self::SerializableGist => "serializable_gist",
            Self::LookOnly => "look_only",
        }
    }

    pub const fn is_library(self) -> bool {
        matches!(self, Self::Library | Self::LibraryBook)
    }

    /// Where its rows go.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Library | Self::LibraryBook | Self::BareInsert => "slotkeeper.allocations",
            Self::LockedLook => "bench.locked_look",
            Self::InsertCatch => "bench.insert_catch",
            Self::Advisory => "bench.advisory",
            Self::Serializable => "bench.serializable",
            Self::SerializableGist => "bench.serializable_gist",
            Self::LookOnly => "bench.look_only",
        }
    }

    /// Claims the whole wish or nothing.
    pub async fn claim(self, client: &mut Client, keeper: &Slotkeeper, wish: &Wish) -> Answer {
        match self {
            Self::Library => place(client, keeper, wish).await,
            Self::LibraryBook => book(client, keeper, wish).await,
            Self::BareInsert | Self::InsertCatch => by_hand::insert_catch(client, self.table(), wish).await,
            _ => by_hand::look_then_insert(client, self, wish).await,
        }
    }
}

async fn place(client: &Client, keeper: &Slotkeeper, wish: &Wish) -> Answer {
    let hold = PlaceHold::new(wish.tenant, claim(wish));
    match keeper.holds().place(client, &hold).await {
        Ok(_) => Answer::Won,
        Err(Error::Conflict { .. }) => Answer::Refused,
        Err(error) => undecided(&error),
    }
}

async fn book(client: &Client, keeper: &Slotkeeper, wish: &Wish) -> Answer {
    let book = BookPlaces::new(wish.tenant, claim(wish), fresh_key());
    match keeper.bookings().book(client, &book).await.map(|decision| decision.outcome) {
        Ok(Outcome::Confirmed) => Answer::Won,
        Ok(Outcome::Conflict { .. }) => Answer::Refused,
        Ok(other) => panic!("{other:?}"),
        Err(error) => undecided(&error),
    }
}

fn claim(wish: &Wish) -> Claim {
    Claim::all(wish.tables.iter().copied(), wish.window).expect("a claim")
}

fn undecided(error: &Error) -> Answer {
    match error {
        Error::Busy(cause) if cause.sqlstate() == Some("40P01") => Answer::Deadlocked,
        Error::Busy(_) => Answer::Busy,
        other => panic!("{other:?}"),
    }
}
