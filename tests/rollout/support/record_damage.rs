//! What can be changed in the snapshot of a record.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use slotkeeper::chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Changes a snapshot, or says that there is nothing of the kind in it.
pub type Damage = fn(&mut Value, &mut StdRng) -> bool;

/// Each field of a request, changed.
pub const REQUEST: [(&str, Damage); 11] = [
    ("hold", |s, _| set(s, "/request/hold", |_| json!(Uuid::now_v7()))),
    ("booking", |s, _| set(s, "/request/booking", |_| json!(Uuid::now_v7()))),
    ("pending", |s, _| set(s, "/request/pending", |was| json!(was != &json!(true)))),
    ("window", |s, r| set(s, "/request/window/start", |was| moved(was, -r.random_range(1..100)))),
    ("pair's resource", |s, _| set(s, "/request/pairs/0/resource", |_| json!(Uuid::now_v7()))),
    ("pair's window", |s, r| set(s, "/request/pairs/0/window/end", |was| moved(was, r.random_range(1..100)))),
    ("pairs", |s, _| set(s, "/request/pairs", |was| json!([was[0], was[0]]))),
    ("buffers", |s, _| set(s, "/request/buffers/after_seconds", |was| json!(was.as_i64().unwrap() + 1))),
    ("revision", |s, _| set(s, "/request/revision", |was| json!(was.as_i64().unwrap() + 1))),
    ("if_still_free", |s, _| set(s, "/request/if_still_free", |_| json!(false))),
    ("details", |s, _| set(s, "/request/details", |_| json!("00"))),
];

/// A field that was not asked for, one that was left out, and no request at all.
pub const FIELDS: [(&str, Damage); 3] = [
    ("added field", |s, _| {
        let request = s["request"].as_object_mut().unwrap();
        request.insert("revision".into(), json!(1)).is_none()
    }),
    ("lost field", |s, r| {
        let request = s["request"].as_object_mut().unwrap();
        let fields: Vec<String> = request.keys().cloned().collect();
        fields.choose(r).is_some_and(|field| request.remove(field).is_some())
    }),
    ("lost request", |s, _| s.as_object_mut().unwrap().remove("request").is_some()),
];

/// What stands in the way of a conflict, gone or elsewhere.
pub const BLOCKERS: [(&str, Damage); 6] = [
    ("no blockers", |s, _| blocked(s) && set(s, "/blockers", |_| json!([]))),
    ("null blockers", |s, _| blocked(s) && set(s, "/blockers", |_| json!(null))),
    ("another day", |s, r| {
        let by = [-1, 1].choose(r).unwrap() * r.random_range(600..100_000);
        let at = any_blocker(s, r);
        at.is_some_and(|at| {
            set(s, &format!("{at}/overlap/start"), |was| moved(was, by))
                && set(s, &format!("{at}/overlap/end"), |was| moved(was, by))
        })
    }),
    ("begins before its place", |s, r| {
        let Some(at) = any_blocker(s, r) else { return false };
        let (start, _) = place(s, &at);
        set(s, &format!("{at}/overlap/start"), |_| json!(start - TimeDelta::microseconds(1)))
    }),
    ("ends after its place", |s, r| {
        let Some(at) = any_blocker(s, r) else { return false };
        let (_, end) = place(s, &at);
        set(s, &format!("{at}/overlap/end"), |_| json!(end + TimeDelta::microseconds(1)))
    }),
    ("another resource", |s, r| {
        any_blocker(s, r).is_some_and(|at| set(s, &format!("{at}/resource"), |_| json!(Uuid::now_v7())))
    }),
];

fn set(snapshot: &mut Value, path: &str, to: impl FnOnce(&Value) -> Value) -> bool {
    let Some(value) = snapshot.pointer_mut(path) else { return false };
    *value = to(value);
    true
}

fn at(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

fn moved(value: &Value, minutes: i64) -> Value {
    json!(at(value) + TimeDelta::minutes(minutes))
}

fn blocked(snapshot: &Value) -> bool {
    snapshot["blockers"].is_array()
}

/// The path of one of the blockers.
fn any_blocker(snapshot: &Value, random: &mut StdRng) -> Option<String> {
    let blockers = snapshot["blockers"].as_array()?;
    Some(format!("/blockers/{}", random.random_range(0..blockers.len())))
}

/// Where the place begins and ends in whose way a blocker is.
fn place(snapshot: &Value, blocker: &str) -> (DateTime<Utc>, DateTime<Utc>) {
    let resource = &snapshot.pointer(blocker).unwrap()["resource"];
    let of = |list: &'static str| snapshot.pointer(list).and_then(Value::as_array);
    let places = of("/request/pairs").or(of("/allocations")).unwrap();
    let place = places.iter().find(|place| &place["resource"] == resource).unwrap();
    let seconds =
        |field| TimeDelta::seconds(snapshot["request"]["buffers"][field].as_i64().unwrap_or_default());
    let window = &place["window"];
    (at(&window["start"]) - seconds("before_seconds"), at(&window["end"]) + seconds("after_seconds"))
}
