//! The sweep against the server's own `&&`, on random rows of every kind a window is stored in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio_postgres::{Client, Row};

use crate::ops::{FindingKind, RowKey, TableInfo, session};
use crate::rollout::rows::find::{finding, offenders};
use crate::rollout::rows::{Finding, Offender};
use crate::rollout::{Guard, WindowColumns};

const INSTANTS: [&str; 3] = ["timestamptz", "timestamp", "date"];
const RANGES: [&str; 3] = ["tstzrange", "tsrange", "daterange"];
const EXCLUSION: &str = "niemals zweimal";

/// How a round stores its windows.
#[derive(Clone, Copy)]
struct Layout {
    instant: &'static str,
    range: &'static str,
    one_column: bool,
}

fn layouts() -> Vec<Layout> {
    let of = |one_column| {
        std::iter::zip(INSTANTS, RANGES).map(move |(instant, range)| Layout { instant, range, one_column })
    };
    of(false).chain(of(true)).collect()
}

fn guard(layout: Layout) -> Guard {
    let window = if layout.one_column {
        WindowColumns::range("wann")
    } else {
        WindowColumns::bounds("von \"hier\"", "bis")
    };
    Guard::on("Gäste", "Tische und Stühle")
        .tenant("mieter")
        .confirmed_at("confirmed")
        .created_at("created")
        .live("status <> 'cancelled'")
        .shadow("wartet")
        .no_overlap(EXCLUSION, &["mieter", "raum", "sitz"], window.unwrap())
        .build()
        .unwrap()
}

/// The shadow column is there in every other layout only.
async fn create(client: &Client, layout: Layout, shadow: bool) {
    let (instant, range) = (layout.instant, layout.range);
    let window = if layout.one_column {
        format!("wann {range}")
    } else {
        format!("\"von \"\"hier\"\"\" {instant}, bis {instant}")
    };
    let shadow = if shadow { ", wartet boolean NOT NULL DEFAULT random() < 0.1" } else { "" };
    let sql = format!(
        "DROP SCHEMA IF EXISTS \"Gäste\" CASCADE; CREATE SCHEMA \"Gäste\";
         CREATE TABLE \"Gäste\".\"Tische und Stühle\" (
             nummer integer, \"Teil\" text COLLATE \"C\", mieter text, raum integer, sitz text, {window},
             status text, confirmed timestamptz, created date NOT NULL {shadow}, PRIMARY KEY (nummer, \"Teil\"))"
    );
    client.batch_execute(&sql).await.unwrap();
}

async fn fill(client: &Client, layout: Layout, dice: &mut StdRng) {
    client.batch_execute("TRUNCATE \"Gäste\".\"Tische und Stühle\"").await.unwrap();
    let mut values = Vec::new();
    for number in 0..dice.random_range(2..40) {
        let maybe =
            |dice: &mut StdRng, value: String| if dice.random_ratio(1, 20) { "NULL".into() } else { value };
        let tenant = maybe(dice, ["'a'", "'b'"][dice.clone().random_range(0..2)].to_owned());
        let (room, seat) = (dice.random_range(0..2).to_string(), format!("'s{}'", dice.random_range(0..2)));
        let (room, seat) = (maybe(dice, room), maybe(dice, seat));
        let window = if layout.one_column { range(layout, dice) } else { bounds(layout, dice) };
        let status = ["'booked'", "'booked'", "'booked'", "'cancelled'", "NULL"][dice.random_range(0..5)];
        let confirmed = ["NULL", "'2030-01-01'", "'2030-01-02'", "'infinity'"][dice.random_range(0..4)];
        let created = dice.random_range(1..4);
        // 9 and 10 order differently as numbers and as text.
        values.push(format!(
            "({}, '{}', {tenant}, {room}, {seat}, {window}, {status}, {confirmed}, '2029-01-0{created}')",
            number / 2 + 5,
            ["x", "X"][number % 2],
        ));
    }
    let columns = if layout.one_column { "wann" } else { "\"von \"\"hier\"\"\", bis" };
    let sql = format!(
        "INSERT INTO \"Gäste\".\"Tische und Stühle\"
             (nummer, \"Teil\", mieter, raum, sitz, {columns}, status, confirmed, created) VALUES {}",
        values.join(", ")
    );
    client.batch_execute(&sql).await.unwrap();
}

/// An instant on a grid of the smallest steps there are.
fn instant(layout: Layout, at: u32) -> String {
    match layout.instant {
        "date" => format!("2030-01-{:02}", at + 1),
        "timestamp" => format!("2030-01-01 00:00:00.{at:06}"),
        _ => format!("2030-01-01 00:00:00.{at:06}+00"),
    }
}

fn bounds(layout: Layout, dice: &mut StdRng) -> String {
    let mut one = |special: &str| match dice.random_range(0..25) {
        0 => "NULL".to_owned(),
        1 => format!("'{special}'"),
        at => format!("'{}'", instant(layout, at)),
    };
    format!("{}, {}", one("-infinity"), one("infinity"))
}

fn range(layout: Layout, dice: &mut StdRng) -> String {
    match dice.random_range(0..30) {
        0 => return "NULL".to_owned(),
        1 => return "'empty'".to_owned(),
        _ => {}
    }
    let (a, b) = (dice.random_range(0..20), dice.random_range(0..20));
    let (a, b) = if dice.random_bool(0.5) { (a.min(b), a.max(b)) } else { (a, (a + b % 3).min(25)) };
    let (a, b) = if a < b { (a, b) } else { (b, a) };
    let one = |dice: &mut StdRng, at: u32, special: &str| match dice.random_range(0..16) {
        0 => String::new(),
        1 => special.to_owned(),
        _ => instant(layout, at),
    };
    let (open, close) = (["[", "[", "("][dice.random_range(0..3)], [")", ")", "]"][dice.random_range(0..3)]);
    format!("'{open}{},{}{close}'", one(dice, a, "-infinity"), one(dice, b, "infinity"))
}

/// What the server itself says, without any cleverness: keys in order of who stays, and all pairs.
async fn oracle(
    client: &Client,
    layout: Layout,
    shadow: bool,
    tenant: Option<&str>,
) -> (Vec<RowKey>, BTreeSet<(RowKey, RowKey)>) {
    let (window, sound) = if layout.one_column {
        ("wann".to_owned(), "NOT isempty(wann)".to_owned())
    } else {
        let sound = "\"von \"\"hier\"\"\" < bis".to_owned();
        (format!("CASE WHEN {sound} THEN {}(\"von \"\"hier\"\"\", bis) END", layout.range), sound)
    };
    let shadow = if shadow { "AND NOT wartet" } else { "" };
    let tenant = tenant.map(|tenant| format!("AND mieter = '{tenant}'")).unwrap_or_default();
    let rows = format!(
        "SELECT ARRAY[nummer::text, \"Teil\"] AS key, mieter, raum, sitz, {window} AS w,
             row_number() OVER (ORDER BY
                 coalesce({sound} AND NOT lower_inf({window}) AND NOT upper_inf({window})
                     AND isfinite(lower({window})) AND isfinite(upper({window})), false) DESC,
                 confirmed NULLS LAST, created, nummer, \"Teil\") AS place
         FROM \"Gäste\".\"Tische und Stühle\" WHERE status <> 'cancelled' AND {sound} {shadow} {tenant}"
    );
    let key = |row: &Row, at: usize| RowKey(row.get(at));
    let ordered = client.query(&format!("SELECT key FROM ({rows}) AS r ORDER BY place"), &[]).await.unwrap();
    let pairs = format!(
        "SELECT a.key, b.key FROM ({rows}) AS a, ({rows}) AS b
         WHERE a.mieter = b.mieter AND a.raum = b.raum AND a.sitz = b.sitz AND a.w && b.w AND a.place < b.place"
    );
    let pairs = client.query(&pairs, &[]).await.unwrap();
    (
        ordered.iter().map(|row| key(row, 0)).collect(),
        pairs.iter().map(|row| (key(row, 0), key(row, 1))).collect(),
    )
}

/// In order of precedence, a row stays unless it overlaps one that stays.
fn leaving(ordered: &[RowKey], pairs: &BTreeSet<(RowKey, RowKey)>) -> BTreeSet<RowKey> {
    let mut staying: Vec<&RowKey> = Vec::new();
    let mut leaving = BTreeSet::new();
    for key in ordered {
        if staying.iter().any(|stays| pairs.contains(&((*stays).clone(), key.clone()))) {
            leaving.insert(key.clone());
        } else {
            staying.push(key);
        }
    }
    leaving
}

async fn sweep(client: &mut Client, guard: &Guard, tenant: Option<&str>) -> (Option<Finding>, Vec<Offender>) {
    let table = TableInfo::existing(client, guard.table()).await.unwrap();
    let mut tx = session::begin(client, Duration::from_secs(1)).await.unwrap();
    let rule = &guard.rules()[0];
    let found = finding(&mut tx, guard, &table, rule, usize::MAX).await.unwrap();
    let offenders = offenders(&mut tx, guard, &table, rule, tenant).await.unwrap();
    (found, offenders)
}

fn keys(offenders: &[Offender]) -> BTreeSet<RowKey> {
    offenders.iter().map(|offender| offender.key.clone()).collect()
}

#[tokio::test]
async fn the_sweep_finds_what_a_self_join_finds_and_who_leaves_follows_from_the_order() {
    let database = kit::empty_database().await.unwrap();
    let mut client = database.client().await.unwrap();
    let rounds = std::env::var("SLOTKEEPER_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut met = 0;
    for (number, layout) in layouts().into_iter().enumerate() {
        let guard = guard(layout);
        let shadow = number % 2 == 0;
        create(&client, layout, shadow).await;
        for seed in 0..rounds {
            let mut dice = StdRng::seed_from_u64(seed * 6 + number as u64);
            fill(&client, layout, &mut dice).await;
            let (ordered, pairs) = oracle(&client, layout, shadow, None).await;
            let (found, offenders) = sweep(&mut client, &guard, None).await;
            let name = format!("{} {} seed {seed}", layout.instant, layout.one_column);
            let seen: BTreeSet<_> = found
                .iter()
                .flat_map(|found| &found.samples)
                .collect::<Vec<_>>()
                .iter()
                .map(|sample| (sample.against.clone().unwrap(), sample.row.clone()))
                .collect();
            let either = |set: &BTreeSet<(RowKey, RowKey)>| -> BTreeSet<(RowKey, RowKey)> {
                set.iter().map(|(a, b)| (a.min(b).clone(), a.max(b).clone())).collect()
            };
            assert_eq!(either(&seen), either(&pairs), "{name}");
            assert_eq!(found.as_ref().map_or(0, |found| found.count), pairs.len() as u64, "{name}");
            assert_eq!(keys(&offenders), leaving(&ordered, &pairs), "{name}");
            assert_eq!(found.as_ref().map_or(0, |found| found.leaving), offenders.len() as u64, "{name}");
            by_tenant(found.as_ref(), &offenders, &name);
            for tenant in ["a", "b"] {
                let (_, alone) = sweep(&mut client, &guard, Some(tenant)).await;
                let (ordered, pairs) = oracle(&client, layout, shadow, Some(tenant)).await;
                assert_eq!(keys(&alone), leaving(&ordered, &pairs), "{name} {tenant}");
            }
            met += pairs.len();
        }
    }
    assert!(met > 100, "rows that never overlap prove nothing: {met}");
}

fn by_tenant(found: Option<&Finding>, offenders: &[Offender], name: &str) {
    let mut counts = BTreeMap::<_, u64>::new();
    for offender in offenders {
        assert_eq!(offender.kind, FindingKind::Overlap);
        *counts.entry(offender.tenant.clone()).or_default() += 1;
    }
    let tenants = found.iter().flat_map(|found| &found.tenants);
    let reported: BTreeMap<_, _> = tenants.map(|tenant| (tenant.tenant.clone(), tenant.leaving)).collect();
    assert_eq!(reported, counts, "{name}");
}
