//! What the model says of holds.

use super::{
    call::{Answer, Call, Detail, Want},
    world::{Hold, Owner, PER_ACTOR, World, done, no},
};

impl World {
    pub fn hold_rules(&mut self, call: &Call) -> Answer {
        match call.clone() {
            Call::Place { hold, old, want, actor } => match self.holds.iter().find(|h| h.number == hold) {
                Some(first) => first_answer(first, &want, actor),
                None => self.place(hold, old, want, actor),
            },
            Call::Extend { hold, actor, too_far } => match self.status(hold, actor) {
                None => no("hold"),
                Some("consumed") => Answer::err("hold_consumed", Detail::Nothing),
                Some("expired") => Answer::err("hold_expired", Detail::Nothing),
                Some("active") if too_far => Answer::err("hold_too_long", Detail::Nothing),
                Some("active") => done(),
                Some(_) => Answer::err("hold_released", Detail::Nothing),
            },
            Call::Release { hold, actor } => match self.status(hold, actor) {
                None => no("hold"),
                Some("consumed") => Answer::err("hold_consumed", Detail::Nothing),
                Some("active" | "expired") => {
                    self.end(hold, "released");
                    done()
                }
                Some(_) => done(),
            },
            Call::Expire { hold } => {
                self.holds.iter_mut().filter(|h| h.number == hold).for_each(|h| h.expired = true);
                let rows = self.rows.iter_mut().filter(|r| r.owner == Owner::Hold(hold) && r.kind == "held");
                rows.for_each(|row| row.expired = true);
                done()
            }
            _ => self.sweep(),
        }
    }

    fn place(&mut self, hold: usize, old: Option<usize>, want: Want, actor: Option<usize>) -> Answer {
        match old.map(|old| self.status(old, actor)) {
            Some(None) => return no("hold"),
            Some(Some("consumed")) => return Answer::err("hold_consumed", Detail::Nothing),
            Some(Some("released" | "replaced")) => return Answer::err("hold_released", Detail::Nothing),
            _ => {}
        }
        if let Some(missing) = self.missing(&want) {
            return missing;
        }
        let taken = self.taken(&want, old.map(Owner::Hold));
        if !taken.is_empty() {
            return Answer::err("conflict", Detail::Taken(taken));
        }
        let counts = |h: &&Hold| h.actor == actor && h.status == "active" && !h.expired;
        // A live old hold makes room for the new one; an expired one counts for nothing.
        let grows = old.is_none_or(|old| self.holds.iter().any(|h| h.number == old && h.expired));
        if grows && actor.is_some() && self.holds.iter().filter(counts).count() >= PER_ACTOR {
            return Answer::err("too_many_holds", Detail::Nothing);
        }
        if let Some(old) = old {
            self.end(old, "replaced");
        }
        self.claim(&want, "held", Owner::Hold(hold));
        let (status, expired, swept) = ("active", false, false);
        self.holds.push(Hold { number: hold, want, actor, status, expired, swept });
        Answer::ok("active", Detail::Nothing)
    }

    fn sweep(&mut self) -> Answer {
        let (mut holds, rows) = (0, self.rows.len());
        for hold in self.holds.iter_mut().filter(|h| h.status == "active" && h.expired && !h.swept) {
            hold.swept = true;
            holds += 1;
            self.rows.retain(|row| row.owner != Owner::Hold(hold.number));
        }
        Answer::ok("swept", Detail::Numbers(holds, (rows - self.rows.len()) as i64))
    }

    /// A hold's status as its actor sees it; others do not see it at all.
    fn status(&self, hold: usize, actor: Option<usize>) -> Option<&'static str> {
        self.holds.iter().find(|h| h.number == hold && h.actor == actor).map(shown)
    }

    fn end(&mut self, hold: usize, status: &'static str) {
        self.holds.iter_mut().filter(|h| h.number == hold).for_each(|h| h.status = status);
        self.free(Owner::Hold(hold));
    }
}

fn shown(hold: &Hold) -> &'static str {
    if hold.status == "active" && hold.expired { "expired" } else { hold.status }
}

/// Placing again under the same id.
fn first_answer(first: &Hold, want: &Want, actor: Option<usize>) -> Answer {
    let field = if first.actor != actor {
        "actor"
    } else if first.want.window() != want.window() {
        "window"
    } else if (first.want.before, first.want.after) != (want.before, want.after) {
        "buffers"
    } else if first.want.pairs != want.pairs {
        "resources"
    } else {
        return Answer { replay: true, ..Answer::ok(shown(first), Detail::Nothing) };
    };
    Answer::err("key_reused", Detail::Text(field))
}
