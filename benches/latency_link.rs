//! What distance to the database costs: each write through a link that holds everything back, so that its round trips
//! become visible. Ids are `<ms each way>/<write>`.
//!
//! `recipe` is what users write by hand today: BEGIN, lock the resource, look for an overlap, INSERT, COMMIT.
#![allow(
    missing_docs,
    clippy::expect_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a bench, not an interface"
)]

#[path = "latency_link/site.rs"]
mod site;
mod support;

use criterion::{BenchmarkId, Criterion, Throughput};
use serde_json::json;
use site::{Site, Write};
use std::time::Duration;
use support::{median_ns, only_checking, record, rows};
use tokio::runtime::Runtime;

/// Held back in each direction, in milliseconds: the same machine, the same region, the next region.
const LINKS: [f64; 3] = [0.0, 0.5, 2.0];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(30)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    let runtime = Runtime::new().expect("a runtime");
    let mut site = runtime.block_on(Site::open(rows()));
    println!(
        "latency_link: {}, 1 connection through a proxy on loopback, warm cache; {}",
        site.house.db.server().describe(),
        runtime.block_on(site.house.describe())
    );
    let trips = runtime.block_on(round_trips(&mut site));
    let mut group = criterion.benchmark_group("latency_link");
    group.throughput(Throughput::Elements(1));
    let mut links = Vec::new();
    for each_way in LINKS {
        site.proxy.delay(Duration::from_secs_f64(each_way / 1_000.0));
        links.push((each_way, runtime.block_on(site.select_1(if only_checking() { 3 } else { 300 }))));
        for write in Write::ALL {
            let id = BenchmarkId::new(each_way.to_string(), write.name());
            group.bench_function(id, |b| b.iter_custom(|n| runtime.block_on(site.run(write, n))));
        }
    }
    group.finish();
    criterion.final_summary();
    if !only_checking() {
        report(&site, &trips, &links);
    }
}

/// Counted by the proxy; a write that takes another number than its documentation says stops the bench.
async fn round_trips(site: &mut Site) -> Vec<(Write, u64)> {
    const TIMES: u64 = 5;
    let mut trips = Vec::new();
    for write in Write::ALL {
        // The first prepares what is not the library's.
        site.run(write, 1).await;
        site.proxy.reset();
        site.run(write, TIMES).await;
        let counted = site.proxy.round_trips();
        assert_eq!(counted, write.round_trips() * TIMES, "round trips of {} {}", TIMES, write.name());
        trips.push((write, counted / TIMES));
    }
    trips
}

fn report(site: &Site, trips: &[(Write, u64)], links: &[(f64, Duration)]) {
    let idle = links[0].1;
    let held = |took: Duration| took.saturating_sub(idle).as_secs_f64() * 1_000.0 / 2.0;
    for (each_way, took) in links {
        println!(
            "link of {each_way} ms each way: SELECT 1 takes {:.3} ms, so {:.3} ms each way",
            took.as_secs_f64() * 1_000.0,
            held(*took)
        );
    }
    let us = |each_way: f64, write: Write| {
        median_ns("latency_link", &format!("{each_way}/{}", write.name())).map(|ns| ns / 1_000.0)
    };
    let heads: String = LINKS.iter().map(|ms| format!("{:>22}", format!("{ms} ms each way"))).collect();
    println!("{:<12} round trips{heads}   (× bare insert, ms)", "write");
    let mut results = Vec::new();
    for (write, trips) in trips {
        let mut line = format!("{:<12} {trips:>11}", write.name());
        for (each_way, select_1) in links {
            let (Some(time), Some(bare)) = (us(*each_way, *write), us(*each_way, Write::BareInsert)) else {
                continue;
            };
            line += &format!("{:>12.2} × {:>7.3}", time / bare, time / 1_000.0);
            results.push(json!({
                "write": write.name(), "round_trips": trips, "each_way_ms": each_way, "p50_us": time,
                "ratio_to_bare_insert": time / bare, "each_way_measured_ms": held(*select_1),
                "select_1_p50_us": select_1.as_secs_f64() * 1e6,
            }));
        }
        println!("{line}");
    }
    record("latency_link", &site.house.db, &results);
}
