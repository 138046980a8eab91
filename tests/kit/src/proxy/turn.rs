//! Whose turn it is on one connection: what makes several messages one round trip.

use super::meter::{Fate, Meter};

/// The protocol as far as it decides when a client waits.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// The first `ReadyForQuery` came: before it, logging in is not counted.
    started: bool,
    /// Ends of flights (`Sync`, `Query`) whose `ReadyForQuery` has not been delivered.
    owed: u32,
    /// The flight under way is counted already.
    counted: bool,
    /// Its answer is to be cut, and whether all of it has gone to the server.
    cut: Option<Cut>,
}

#[derive(Debug, PartialEq, Eq)]
enum Cut {
    Sending,
    Sent,
}

impl Turn {
    /// A message of the client, before it is passed on.
    pub(super) fn client(&mut self, kind: u8, meter: &Meter) -> Fate {
        if !self.started {
            return Fate::Forward;
        }
        meter.message(kind);
        let mut fate = Fate::Forward;
        // Nobody waits for `Close` + `Sync`, which a driver sends whenever a statement is dropped; nor for `Terminate`.
        if !self.counted && !matches!(kind, b'C' | b'S' | b'H' | b'X') {
            self.counted = true;
            fate = meter.flight();
            if fate == Fate::CutReply {
                self.cut = Some(Cut::Sending);
            }
        }
        if matches!(kind, b'S' | b'Q' | b'F') {
            self.owed += 1;
            if self.cut.is_some() {
                self.cut = Some(Cut::Sent);
            }
        }
        fate
    }

    /// A message of the server has been delivered, or would have been: whether it is the last the client waited for.
    pub(super) fn server(&mut self, kind: u8) {
        match kind {
            b'Z' => {
                self.started = true;
                self.owed = self.owed.saturating_sub(1);
            }
            // The client is asked for the rows of a COPY; the server passes over the `Sync` sent before them.
            b'G' => self.owed = 0,
            _ => return,
        }
        if self.owed == 0 {
            self.counted = false;
        }
    }

    /// Whether the answers are being withheld.
    pub(super) fn withholds(&self) -> bool {
        self.cut.is_some()
    }

    /// Whether the server has answered all of the flight whose answer is withheld: what it commits is committed.
    pub(super) fn cut_is_due(&self) -> bool {
        self.cut == Some(Cut::Sent) && self.owed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> (Turn, Meter) {
        let mut turn = Turn::default();
        turn.server(b'Z');
        (turn, Meter::default())
    }

    #[test]
    fn a_round_trip_is_a_flight_begun_when_nothing_is_owed() {
        let (mut turn, meter) = started();
        for kind in *b"BESBES" {
            turn.client(kind, &meter);
        }
        turn.server(b'Z');
        turn.client(b'Q', &meter);
        assert_eq!(meter.round_trips(), 1, "one answer is still owed");
        turn.server(b'Z');
        turn.server(b'Z');
        turn.client(b'Q', &meter);
        assert_eq!(meter.round_trips(), 2);
        assert_eq!(meter.messages()[&'B'], 2);
    }

    #[test]
    fn closing_a_statement_is_no_round_trip_and_does_not_hide_one() {
        let (mut turn, meter) = started();
        turn.client(b'C', &meter);
        turn.client(b'S', &meter);
        assert_eq!(meter.round_trips(), 0);
        turn.client(b'Q', &meter);
        assert_eq!(meter.round_trips(), 1);
    }

    #[test]
    fn a_reply_is_cut_only_when_the_server_has_answered_the_whole_flight() {
        let (mut turn, meter) = started();
        meter.cut(1, Fate::CutReply);
        turn.client(b'C', &meter);
        turn.client(b'S', &meter);
        assert_eq!(turn.client(b'B', &meter), Fate::CutReply);
        turn.server(b'Z'); // of the closing
        assert!(turn.withholds() && !turn.cut_is_due());
        turn.client(b'S', &meter);
        assert!(!turn.cut_is_due());
        turn.server(b'Z');
        assert!(turn.cut_is_due());
    }
}
