//! Every call as a role with exactly what the product prints for its duties.

use super::{
    act::{Act, Answer},
    refusals::all_refusals,
    stage::Stage,
    successes::{reads, writes},
};
use crate::support::*;
use slotkeeper::{migrate::Duty, retention::RetentionPolicy};

/// The duty a call of the tables belongs to.
fn duty(call: &str) -> Duty {
    match call {
        "list events" | "delete events" => Duty::Relay,
        "prune offers" | "archive allocations" | "prune confirmations" | "prune holds" | "prune bookings" => {
            Duty::Retention
        }
        _ => Duty::Service,
    }
}

/// What each call comes to, alone in a transaction that is rolled back: every one finds the stage as it was opened.
async fn answers(
    stage: &Stage,
    pool: &deadpool_postgres::Pool,
    calls: &[(&'static str, Act)],
) -> Vec<(&'static str, Answer)> {
    let mut client = pool.get().await.unwrap();
    let mut answers = Vec::new();
    for (name, act) in calls {
        let tx = client.transaction().await.unwrap();
        answers.push((*name, act(stage, &tx).await));
        tx.rollback().await.unwrap();
    }
    answers
}

fn calls() -> Vec<(&'static str, Act)> {
    writes().into_iter().chain(reads()).map(|call| (call.name, call.act)).collect()
}

#[tokio::test]
async fn every_call_and_every_refusal_works_with_the_grants_of_all_duties() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let all = h.role(Duty::ALL).await;
    stage.keeper.warm(&all).await.unwrap();
    for (name, answer) in answers(&stage, &all, &calls()).await {
        assert_eq!(answer, Answer::Done, "{name}");
    }
    for refusal in all_refusals() {
        assert_eq!((refusal.act)(&stage, &all).await, refusal.answer, "{}", refusal.name);
    }
}

/// The service's role sends every call of its own and none of the relay's or retention's: their rights are not among its.
#[tokio::test]
async fn the_service_alone_does_all_but_the_other_duties() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    let service = h.role([Duty::Service]).await;
    stage.keeper.warm(&service).await.unwrap();
    let answers = answers(&stage, &service, &calls()).await;
    for (name, answer) in &answers {
        let allowed = duty(name) == Duty::Service;
        let expected = if allowed { Answer::Done } else { Answer::Refused("misconfigured") };
        assert_eq!(*answer, expected, "{name}");
    }
    assert_eq!(answers.iter().filter(|(_, answer)| *answer != Answer::Done).count(), 7);
    for refusal in all_refusals() {
        assert_eq!((refusal.act)(&stage, &service).await, refusal.answer, "{}", refusal.name);
    }
    let client = service.get().await.unwrap();
    for forbidden in [
        "UPDATE slotkeeper.confirmations SET outcome = outcome",
        "DELETE FROM slotkeeper.confirmations",
        "TRUNCATE slotkeeper.confirmations",
        "UPDATE slotkeeper.outbox SET event = event",
        "DELETE FROM slotkeeper.outbox",
        "DELETE FROM slotkeeper.allocations",
        "SELECT FROM slotkeeper.migrations",
        "ALTER TABLE slotkeeper.allocations DROP CONSTRAINT allocations_resource_during_excl",
    ] {
        let refused = client.batch_execute(forbidden).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{forbidden}");
    }
}

#[tokio::test]
async fn a_relay_and_a_nightly_job_do_their_own_with_roles_of_their_own() {
    let h = House::open().await;
    let stage = Stage::open(&h).await;
    for alone in [Duty::Relay, Duty::Retention] {
        let role = h.role([alone]).await;
        stage.keeper.warm(&role).await.unwrap();
        for (name, answer) in answers(&stage, &role, &calls()).await {
            if duty(name) == alone {
                assert_eq!(answer, Answer::Done, "{name}");
            }
        }
        let writes: Vec<_> = writes().into_iter().map(|write| (write.name, write.act)).collect();
        for (name, answer) in answers(&stage, &role, &writes).await {
            assert!(duty(name) == alone || answer == Answer::Refused("misconfigured"), "{name}: {answer:?}");
        }
    }
    let nightly = h.role([Duty::Retention]).await;
    let run = stage.keeper.retention().run(&nightly, stage.tenant, &RetentionPolicy::new()).await.unwrap();
    assert!(run.holds.rows > 0 && run.allocations.rows > 0 && run.offers > 0, "{run:?}");
}
