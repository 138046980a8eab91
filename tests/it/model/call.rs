//! A call in small numbers, and its answer: the language that the model and the library are compared in.

/// Minutes of the day, start included, end not.
pub type Span = (i64, i64);

/// Where, when, and how much is kept free around it. Places in ascending order, each at most once.
#[derive(Clone, Debug, PartialEq)]
pub struct Want {
    pub pairs: Vec<(usize, Span)>,
    pub before: i64,
    pub after: i64,
}

impl Want {
    /// What the customer sees.
    pub fn window(&self) -> Span {
        let starts = self.pairs.iter().map(|(_, span)| span.0);
        let ends = self.pairs.iter().map(|(_, span)| span.1);
        (starts.min().unwrap(), ends.max().unwrap())
    }

    /// What nobody else may have.
    pub fn blocked(&self) -> impl Iterator<Item = (usize, Span)> {
        self.pairs.iter().map(|&(place, (from, to))| (place, (from - self.before, to + self.after)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum How {
    /// The library mints the id.
    Minted,
    /// The caller names a booking that must not exist.
    New,
    /// The caller names one that must be pending.
    Pending,
}

/// Which booking is to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    pub booking: usize,
    pub how: How,
}

/// Holds, bookings, blackouts and keys are numbers: that of the step which first used them.
#[derive(Clone, Debug)]
pub enum Call {
    /// With `old`: replace.
    Place {
        hold: usize,
        old: Option<usize>,
        want: Want,
        actor: Option<usize>,
    },
    Extend {
        hold: usize,
        actor: Option<usize>,
        too_far: bool,
    },
    Release {
        hold: usize,
        actor: Option<usize>,
    },
    /// Not a call of the library: time passes for one hold.
    Expire {
        hold: usize,
    },
    Sweep,
    Confirm {
        hold: usize,
        key: usize,
        target: Target,
        window: Option<Span>,
        late: bool,
        customer: Option<usize>,
    },
    Book {
        want: Want,
        key: usize,
        target: Target,
        customer: Option<usize>,
    },
    Request {
        booking: usize,
        window: Span,
        customer: Option<usize>,
    },
    Cancel {
        booking: usize,
        key: usize,
        revision: Option<i32>,
    },
    Move {
        booking: usize,
        key: usize,
        revision: i32,
        want: Want,
    },
    Erase {
        customer: usize,
        key: usize,
    },
    Block {
        blackout: usize,
        want: Want,
    },
    Unblock {
        blackout: usize,
    },
    Deactivate {
        place: usize,
    },
    IsFree {
        place: usize,
        window: Span,
    },
    Blockers {
        want: Want,
    },
    FreeWindows {
        place: usize,
        window: Span,
    },
}

/// A request's named parts, as text.
type Parts = Vec<(&'static str, String)>;

impl Call {
    /// Calls with a key: the operation it belongs to, the key, and every part of the request that makes it another one,
    /// in the order in which a difference is named.
    pub fn keyed(&self) -> Option<(&'static str, usize, Parts)> {
        fn text(part: &impl std::fmt::Debug) -> String {
            format!("{part:?}")
        }
        let named = |target: &Target| {
            let named = (target.how != How::Minted).then_some((target.booking, target.how));
            ("booking", text(&named))
        };
        let places = |want: &Want| {
            let buffers = ("buffers", text(&(want.before, want.after)));
            vec![("window", text(&want.window())), ("resources", text(&want.pairs)), buffers]
        };
        Some(match self {
            Self::Confirm { hold, key, target, window, late, customer } => {
                let first = vec![("hold", text(hold)), named(target), ("window", text(window))];
                let rest = vec![("if_still_free", text(late)), ("details", text(customer))];
                ("confirm", *key, [first, rest].concat())
            }
            Self::Book { want, key, target, customer } => (
                "book",
                *key,
                [vec![named(target)], places(want), vec![("details", text(customer))]].concat(),
            ),
            Self::Cancel { booking, key, revision } => {
                ("cancel", *key, vec![("booking", text(booking)), ("revision", text(revision))])
            }
            Self::Move { booking, key, revision, want } => {
                let booking = vec![("booking", text(booking))];
                ("move", *key, [booking, places(want), vec![("revision", text(revision))]].concat())
            }
            Self::Erase { customer, key } => ("erase", *key, vec![("details", text(customer))]),
            _ => return None,
        })
    }
}

/// Somebody in the way: where, what kind of row, and the part of the wanted time it takes.
pub type Taken = (usize, Span, &'static str);

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Detail {
    #[default]
    Nothing,
    Taken(Vec<Taken>),
    Free(Vec<Span>),
    /// The window on record, and the one asked for.
    Windows(Span, Option<Span>),
    /// The status needed, and the one found.
    Statuses(Option<&'static str>, &'static str),
    Numbers(i64, i64),
    Places(Vec<usize>),
    Text(&'static str),
}

/// What a call came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// `false`: an `Err`, after which nothing may have changed.
    pub ok: bool,
    pub code: &'static str,
    pub detail: Detail,
    /// The booking a decision names.
    pub booking: Option<usize>,
    /// The answer of an earlier call, which changes nothing either.
    pub replay: bool,
}

impl Answer {
    pub fn ok(code: &'static str, detail: Detail) -> Self {
        Self { ok: true, code, detail, ..Self::default() }
    }

    pub fn err(code: &'static str, detail: Detail) -> Self {
        Self { code, detail, ..Self::default() }
    }
}
