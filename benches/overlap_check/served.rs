//! What the free probe costs on the server, without the way there and back.

use super::{
    asks::{Asks, Question},
    check::prepare,
    layout::Layout,
    support::{House, only_checking},
};
use std::time::Instant;

pub struct Served {
    /// Median of `EXPLAIN ANALYZE`: includes starting and ending the executor, and the instruments.
    pub execution_us: f64,
    /// Pages per probe.
    pub hit: f64,
    pub read: f64,
    /// One probe of many in one statement: the cost of the probe itself.
    pub probe_us: f64,
    pub probes: usize,
    /// How often the server chose which kind of plan for the statement the driver prepared.
    pub generic_plans: i64,
    pub custom_plans: i64,
}

/// The longest that one statement of many probes may take; slow layouts are given fewer.
const LONGEST_US: f64 = 4_000_000.0;

pub async fn measure(house: &House, layout: &Layout, asks: &Asks) -> Served {
    let (generic_plans, custom_plans) = plans(house, layout).await;
    let (probes, probe_us) = many(house, layout, asks.probes.len()).await;
    let (execution_us, hit, read) = explained(house, layout, asks).await;
    Served { execution_us, hit, read, probe_us, probes, generic_plans, custom_plans }
}

/// What the server did with the driver's own statement so far, left to itself.
async fn plans(house: &House, layout: &Layout) -> (i64, i64) {
    let sql = "SELECT generic_plans, custom_plans FROM pg_prepared_statements
                WHERE strpos(statement, $1) > 0 AND NOT from_sql ORDER BY generic_plans DESC LIMIT 1";
    let own = layout.statement(Question::Free);
    let mark = if layout.is_library() { "-- allocation.is_free" } else { &own };
    let row = house.client.query_one(sql, &[&mark]).await.expect("the statement, prepared before");
    (row.get(0), row.get(1))
}

/// How many probes, and the median time of one, after one round that is not counted.
async fn many(house: &House, layout: &Layout, all: usize) -> (usize, f64) {
    house.client.batch_execute("SET plan_cache_mode = force_generic_plan").await.expect("a setting");
    let few = all.min(100);
    once(house, layout, few).await;
    let most = (LONGEST_US / once(house, layout, few).await) as usize;
    let probes = all.min(most.max(few));
    once(house, layout, probes).await;
    let mut times = Vec::new();
    for _ in 0..if only_checking() { 1 } else { 7 } {
        times.push(once(house, layout, probes).await);
    }
    house.client.batch_execute("RESET plan_cache_mode").await.expect("a setting");
    (probes, median(times))
}

/// Microseconds a probe. `OFFSET 0` keeps the probe a probe: the planner may not turn it into a join of two tables.
async fn once(house: &House, layout: &Layout, probes: usize) -> f64 {
    let probe = layout.statement(Question::Free);
    let probe = probe.replace("$1", "i.tenant_id").replace("$2", "i.resource_id").replace("$3", "i.during");
    let sql = format!(
        "SELECT count(*) FROM (SELECT tenant_id, resource_id, during FROM bench.probes WHERE n < {probes}) i
          CROSS JOIN LATERAL ({probe} OFFSET 0) probe WHERE probe.free"
    );
    let statement = house.client.prepare_cached(&sql).await.expect("prepared");
    let start = Instant::now();
    let free: i64 = house.client.query_one(&statement, &[]).await.expect("a count").get(0);
    let time = start.elapsed().as_secs_f64() * 1e6;
    assert_eq!(usize::try_from(free).ok(), Some(probes), "{}: every probe is of a free window", layout.name);
    time / probes as f64
}

/// Medians of single executions of a prepared statement with a generic plan.
async fn explained(house: &House, layout: &Layout, asks: &Asks) -> (f64, f64, f64) {
    prepare(house, layout, Question::Free).await;
    let (mut times, mut hits, mut reads) = (Vec::new(), Vec::new(), Vec::new());
    for ask in asks.probes.iter().take(if only_checking() { 5 } else { 400 }) {
        let execute = layout.literals(Question::Free, ask);
        let sql = format!("EXPLAIN (ANALYZE, TIMING OFF, BUFFERS, FORMAT JSON) EXECUTE probe ({execute})");
        let plan: serde_json::Value = house.client.query_one(&sql, &[]).await.expect("a plan").get(0);
        let number = |value: &serde_json::Value| value.as_f64().expect("a figure");
        times.push(number(&plan[0]["Execution Time"]) * 1e3);
        hits.push(number(&plan[0]["Plan"]["Shared Hit Blocks"]));
        reads.push(number(&plan[0]["Plan"]["Shared Read Blocks"]));
    }
    house.client.batch_execute("DEALLOCATE probe; RESET plan_cache_mode").await.expect("deallocated");
    (median(times), median(hits), median(reads))
}

pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}
