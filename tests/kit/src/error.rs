//! What went wrong, in words.

use std::{error, fmt, sync::Arc};

/// A text for whoever runs the tests.
///
/// Nobody handles these by kind, and a failed start is told to every test of the process: so it is one shared text, with
/// the causes in it, and cheap to clone.
#[derive(Clone)]
pub struct Error(Arc<str>);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }

    /// For `map_err`: the action that failed, then every cause down the chain.
    pub(crate) fn on<E: error::Error>(action: impl fmt::Display) -> impl FnOnce(E) -> Self {
        move |cause| {
            let mut text = format!("{action}: {cause}");
            let mut source = cause.source();
            while let Some(inner) = source {
                let inner_text = inner.to_string();
                if !text.contains(&inner_text) {
                    text.push_str(": ");
                    text.push_str(&inner_text);
                }
                source = inner.source();
            }
            Self::new(text)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The same text: `Result`-returning tests print the `Debug` form.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl error::Error for Error {}
