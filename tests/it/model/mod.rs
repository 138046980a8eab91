//! Random calls against a model: what the library answers and stores is what the documentation says, whatever came
//! before.
//!
//! `SLOTKEEPER_CASES` sets the number of sequences (60), `SLOTKEEPER_SEED` the seed; a failure prints both the seed and
//! the shortest sequence that still fails.

mod booking_rules;
mod call;
mod found;
mod hold_rules;
mod place_rules;
mod step;
mod subject;
mod tables;
mod world;

use crate::support::*;
use call::Call;
use deadpool_postgres::GenericClient;
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};
use slotkeeper::{Executor, HoldPolicy, Slotkeeper, TenantId, resource::NewResource};
use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    env,
    hash::{BuildHasher, Hasher, RandomState},
};
use step::Step;
use subject::Subject;
use world::{Flaw, World};

/// Scenarios 17, 18, 20, 26, 37, 39, 40, 41, 44, 47, 51, 52 and 55 in every order.
#[test]
fn every_answer_and_every_row_is_the_models() {
    let cases = number("SLOTKEEPER_CASES").unwrap_or(60);
    let seed = number("SLOTKEEPER_SEED").unwrap_or_else(chance);
    match compare(Flaw::None, cases, seed, 400) {
        Ok(tally) => println!("model: seed {seed}, {cases} sequences, {tally:?}"),
        Err(reason) => panic!("SLOTKEEPER_SEED={seed} SLOTKEEPER_CASES={cases} repeats this: {reason}"),
    }
}

/// The negative control: the comparison sees one wrong rule in the model, so it would see one in the library.
#[test]
fn a_wrong_model_is_caught() {
    for flaw in
        [Flaw::TouchingOverlaps, Flaw::ExpiredBlocks, Flaw::CancelKeepsThePlace, Flaw::KeysAreForgotten]
    {
        let caught = compare(flaw, 60, 1, 0);
        assert!(caught.is_err(), "{flaw:?} went unnoticed");
    }
}

fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().expect("a whole number"))
}

/// How often each kind of answer was seen: a test of refusals that never sees one shows nothing.
type Tally = BTreeMap<String, usize>;

fn compare(flaw: Flaw, cases: u64, seed: u64, shrinks: u32) -> Result<Tally, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    // `Cell`: the runner calls an `Fn`.
    let (tally, done) = (Cell::new(Tally::new()), Cell::new(0));
    let policy = HoldPolicy::new().active_per_actor(world::PER_ACTOR as u32);
    let house = runtime.block_on(House::with(Slotkeeper::new().with_hold_policy(policy)));
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        max_shrink_iters: shrinks,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let result = runner.run(&(step::steps(), any::<bool>()), |(steps, in_transaction)| {
        done.set(done.get() + 1);
        let mut seen = tally.take();
        let verdict = runtime.block_on(sequence(&house, flaw, &steps, in_transaction, &mut seen));
        tally.set(seen);
        verdict.map_err(TestCaseError::fail)
    });
    if result.is_ok() {
        runtime.block_on(assert_audit(&house));
    }
    result.map(|()| tally.take()).map_err(|error| match error {
        // The calls in the reason say more than the dice they came from.
        TestError::Fail(reason, (_, in_transaction)) => {
            format!("in a transaction: {in_transaction}; {reason}")
        }
        TestError::Abort(reason) => reason.to_string(),
    })
}

/// Half of the sequences run call by call, half within one transaction of the caller's, which every refusal must leave
/// usable.
async fn sequence(
    house: &House,
    flaw: Flaw,
    steps: &[Step],
    in_transaction: bool,
    tally: &mut Tally,
) -> Result<(), String> {
    let mut client = house.pool.get().await.unwrap();
    if in_transaction {
        let transaction = client.transaction().await.unwrap();
        let verdict = on(&transaction, &house.keeper, flaw, steps, tally).await;
        transaction.commit().await.unwrap();
        verdict
    } else {
        on(&client, &house.keeper, flaw, steps, tally).await
    }
}

async fn on<C: Executor + GenericClient>(
    db: &C,
    keeper: &Slotkeeper,
    flaw: Flaw,
    steps: &[Step],
    tally: &mut Tally,
) -> Result<(), String> {
    // A tenant of its own: ids are the same small numbers in every sequence.
    let tenant = TenantId::generate();
    let mut places = Vec::new();
    for _ in 0..step::PLACES {
        let new = NewResource::new(tenant, kind("table"), name("table"));
        places.push(keeper.resources().create(db, &new).await.unwrap().id);
    }
    places.sort();
    let (minted, decisions) = (HashMap::new(), HashMap::new());
    let mut subject = Subject { db, keeper, tenant, places, minted, decisions };
    let mut world = World { flaw, ..World::default() };
    let mut calls: Vec<Call> = Vec::new();
    for step in steps {
        let call = step.settle(&world, &calls, calls.len());
        let expected = world.apply(&call);

        let before =
            if expected.ok && !expected.replay { None } else { Some(tables::digest(db, tenant).await) };

        // Placing again is answered like placing, so only the model knows that it is a replay.
        let mut found = subject.call(&call).await;
        found.replay |= call.keyed().is_none() && expected.replay;
        calls.push(call);
        if found != expected {
            return Err(format!(
                "answered {found:?}, expected {expected:?}; the calls were{}",
                lines(&calls)
            ));
        }
        if before.is_some() && before != Some(tables::digest(db, tenant).await) {
            return Err(format!("{found:?} changed a row; the calls were{}", lines(&calls)));
        }
        *tally.entry(format!("{}{}", if found.ok { "" } else { "!" }, found.code)).or_default() += 1;
    }
    let differences = tables::differences(&subject, &world).await;
    if differences.is_empty() {
        Ok(())
    } else {
        Err(format!("{differences:#?}; the calls were{}", lines(&calls)))
    }
}

fn lines(calls: &[Call]) -> String {
    calls.iter().enumerate().map(|(n, call)| format!("\n{n:4} {call:?}")).collect()
}
