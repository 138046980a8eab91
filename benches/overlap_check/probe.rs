//! Asking as a user does: prepared statements on one connection, or the library's own calls.

use super::{
    asks::{Ask, Question},
    layout::Layout,
    support::House,
};
use slotkeeper::{AllocationId, Claim, Window};

/// What came back: whether the window is free, or the windows in the way in time order.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Free(bool),
    Windows(Vec<Window>),
}

/// The right answer, from the sweep.
pub fn expected(question: Question, ask: &Ask) -> Answer {
    match question {
        Question::Free => Answer::Free(ask.taken.is_empty()),
        Question::Blockers => {
            Answer::Windows(ask.taken.iter().filter_map(|taken| taken.intersection(&ask.window)).collect())
        }
        Question::Listing => Answer::Windows(ask.taken.clone()),
    }
}

pub async fn answer(house: &House, layout: &Layout, question: Question, ask: &Ask) -> Answer {
    if layout.is_library() {
        return by_library(house, question, ask).await;
    }
    let sql = layout.statement(question);
    let statement = house.client.prepare_typed_cached(&sql, layout.types(question)).await.expect("prepared");
    let rows = house.client.query(&statement, &[&ask.tenant, &ask.table, &ask.window]).await.expect("rows");
    match question {
        Question::Free => Answer::Free(rows[0].get("free")),
        _ => {
            // Who blocks is part of the answer, so it is read too.
            let read = |row: &tokio_postgres::Row| {
                let _: (AllocationId, String) = (row.get("id"), row.get("kind"));
                row.get("overlap")
            };
            Answer::Windows(rows.iter().map(read).collect())
        }
    }
}

async fn by_library(house: &House, question: Question, ask: &Ask) -> Answer {
    let (allocations, client) = (house.keeper.allocations(), &house.client);
    match question {
        Question::Free => {
            let free = allocations.is_free(client, ask.tenant, ask.table, ask.window).await;
            Answer::Free(free.expect("an answer"))
        }
        Question::Blockers => {
            let claim = Claim::one(ask.table, ask.window);
            let blockers = allocations.blockers(client, ask.tenant, &claim).await.expect("blockers");
            Answer::Windows(blockers.iter().map(|blocker| blocker.overlap).collect())
        }
        Question::Listing => {
            let listed = allocations.list_by_resource(client, ask.tenant, ask.table, ask.window).await;
            Answer::Windows(listed.expect("rows").iter().map(|row| row.window).collect())
        }
    }
}
