//! Changing a resource: on the revision that was read, once, and repeatable if the reply is lost.

use super::common::*;
use slotkeeper::resource::{Resource, UpdateResource};

async fn update(h: &House, update: &UpdateResource) -> Result<Resource, Error> {
    h.keeper.resources().update(&h.pool, update).await
}

fn stale(answer: &Result<Resource, Error>, revision: i32) {
    assert!(matches!(answer, Err(Error::StaleRevision { found }) if *found == revision), "{answer:?}");
}

#[tokio::test]
async fn the_same_update_again_answers_like_the_first_until_somebody_changes_the_resource() {
    let h = House::open().await;
    let read = h.keeper.resources().find(&h.pool, h.tenant, h.table().await).await.unwrap().unwrap();
    let rename = UpdateResource::from(h.tenant, &read).name(name("terrace 1"));
    let first = update(&h, &rename).await.unwrap();
    assert_eq!((first.revision, first.name.as_str()), (2, "terrace 1"));
    let before = h.digest().await;
    assert_eq!(update(&h, &rename).await.unwrap(), first);

    // Any other change on the revision that was read comes too late.
    let other = || UpdateResource::from(h.tenant, &read).name(name("terrace 1"));
    let others = [
        other().name(name("terrace 2")),
        other().kind(kind("room")),
        other().reference(Some(Reference::new("t-1").unwrap())),
        other().parties(1, 5).unwrap(),
        other().parties(2, 4).unwrap(),
        other().attributes(JsonObject::new(serde_json::json!({ "zone": "terrace" })).unwrap()),
        other().active(false),
    ];
    for other in others {
        stale(&update(&h, &other).await, 2);
    }
    assert_eq!(h.digest().await, before);

    update(&h, &UpdateResource::from(h.tenant, &first)).await.unwrap();
    stale(&update(&h, &rename).await, 3);
}
