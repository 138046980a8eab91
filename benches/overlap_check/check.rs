//! A figure counts only if the layout gives the right answers and by the index it is named after.

use super::{
    asks::{Asks, Question},
    layout::Layout,
    probe::{answer, expected},
    support::House,
};

/// Stops the bench at the first wrong answer and at the first plan without the layout's index.
pub async fn check(house: &House, layout: &Layout, asks: &Asks) {
    if let Some(wrong) = wrong_answer(house, layout, asks).await {
        panic!("{}: {wrong}", layout.name);
    }
    for question in Question::ALL {
        if let Some(plan) = stray_plan(house, layout, asks, question).await {
            panic!("{}: {question:?} does not use its index:\n{plan}", layout.name);
        }
    }
}

/// So many of each case are also asked the other questions: the slow layouts would take minutes over all.
const ALSO: usize = 50;

/// Each case by its own question, and some by the two others a user might ask: they must agree with the sweep.
async fn wrong_answer(house: &House, layout: &Layout, asks: &Asks) -> Option<String> {
    for case in &asks.cases {
        for (at, ask) in case.asks.iter().enumerate() {
            for question in Question::ALL {
                if question != case.question && at >= ALSO {
                    continue;
                }
                // A refusal names 64 rows at most: nobody asks who blocks a week.
                if question == Question::Blockers && ask.taken.len() > 64 {
                    continue;
                }
                let (found, right) = (answer(house, layout, question, ask).await, expected(question, ask));
                if found != right {
                    return Some(format!("{} {question:?} of {ask:?}: {found:?}", case.name));
                }
            }
        }
    }
    None
}

/// The plan, if it goes another way.
async fn stray_plan(house: &House, layout: &Layout, asks: &Asks, question: Question) -> Option<String> {
    prepare(house, layout, question).await;
    let ask = &asks.cases.iter().find(|case| case.question == question).expect("a case").asks[0];
    let sql = format!("EXPLAIN EXECUTE probe ({})", layout.literals(question, ask));
    let lines = house.client.query(&sql, &[]).await.expect("a plan");
    house.client.batch_execute("DEALLOCATE probe; RESET plan_cache_mode").await.expect("deallocated");
    let plan = lines.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n");
    (!layout.indexes.iter().any(|index| plan.contains(&index.name))).then_some(plan)
}

/// `probe`, with a generic plan.
pub async fn prepare(house: &House, layout: &Layout, question: Question) {
    let types: Vec<String> = layout.types(question).iter().map(ToString::to_string).collect();
    let types: Vec<String> = types.iter().map(|name| array(name)).collect();
    let sql = format!(
        "SET plan_cache_mode = force_generic_plan; PREPARE probe ({}) AS {}",
        types.join(", "),
        layout.statement(question)
    );
    house.client.batch_execute(&sql).await.expect("prepared");
}

/// The driver calls an array type `_uuid`, a parameter list `uuid[]`.
fn array(name: &str) -> String {
    name.strip_prefix('_').map_or_else(|| name.to_owned(), |element| format!("{element}[]"))
}

/// Shows that the checks above see what they are for: a booking gone, and an index gone, both undone afterwards.
pub async fn checks_can_fail(house: &House, layout: &Layout, asks: &Asks) {
    let client = &house.client;
    let ask = &asks.cases.iter().find(|case| case.name == "one_blocker").expect("a case").asks[0];
    client.batch_execute("BEGIN").await.expect("a transaction");
    let gone = format!("DELETE FROM {} WHERE resource_id = $1 AND during = $2", layout.table);
    assert_eq!(client.execute(&gone, &[&ask.table, &ask.taken[0]]).await.expect("a booking gone"), 1);
    assert!(wrong_answer(house, layout, asks).await.is_some(), "{}: a lost booking is seen", layout.name);
    client.batch_execute("ROLLBACK; BEGIN").await.expect("undone");
    for index in &layout.indexes {
        client.batch_execute(&index.drop).await.expect("an index gone");
    }
    let stray = stray_plan(house, layout, asks, Question::Free).await;
    assert!(stray.is_some(), "{}: a lost index is seen", layout.name);
    client.batch_execute("ROLLBACK").await.expect("undone");
}
