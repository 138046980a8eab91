//! Reading one of the library's own constraints out of an error asks for no memory: a busy service reads many.

use allocation_counter::measure;
use slotkeeper::{Constraint, violation::Violation};

use super::scripted::said;

#[tokio::test]
async fn a_known_constraint_is_read_without_allocating() {
    for known in Constraint::ALL {
        let code = match known.kind() {
            slotkeeper::ConstraintKind::Unique => "23505",
            slotkeeper::ConstraintKind::Exclusion => "23P01",
            slotkeeper::ConstraintKind::ForeignKey => "23503",
            _ => "23514",
        };
        let shard = format!("{}_102034", known.name());
        for name in [known.name(), &shard] {
            let fields = [('s', "slotkeeper"), ('t', known.table()), ('n', name)];
            let error = said(code, "irrelevant", &fields).await;
            let mut read = None;
            let asked = measure(|| read = Violation::from_error(&error).and_then(|v| v.known())).count_total;
            assert_eq!((read, asked), (Some(*known), 0), "{name}");
        }
    }
    let host = said("23505", "irrelevant", &[('s', "app"), ('t', "visits"), ('n', "visits_key")]).await;
    let asked = measure(|| drop(Violation::from_error(&host))).count_total;
    assert!(asked > 0, "negative control: a name that is not ours is copied");
}
