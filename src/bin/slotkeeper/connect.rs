//! The way to the database.

use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{CancelToken, Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::Failure;

/// How to stop what the working connection's server is busy with.
static RUNNING: OnceLock<(CancelToken, bool)> = OnceLock::new();

/// The connection that works: what it is busy with is stopped by [`cancel`].
pub(crate) async fn connect() -> Result<Client, Failure> {
    let (client, plain) = open().await?;
    let _ = RUNNING.set((client.cancel_token(), plain));
    Ok(client)
}

/// Another one.
pub(crate) async fn beside() -> Result<Client, Failure> {
    open().await.map(|(client, _)| client)
}

/// Cancels the statement: a server that builds an exclusion does not notice that its client went away, and would keep the
/// table locked.
pub(crate) async fn cancel() {
    let Some((running, plain)) = RUNNING.get() else { return };
    let cancelled = async {
        match (plain, tls()) {
            (false, Ok(tls)) => drop(running.cancel_query(tls).await),
            _ => drop(running.cancel_query(NoTls).await),
        }
    };
    // Whatever came of it, the program ends.
    let _ = tokio::time::timeout(Duration::from_secs(5), cancelled).await;
}

/// Connects to what DATABASE_URL names, and returns whether in plain text. The variable is never printed: it holds a
/// password.
async fn open() -> Result<(Client, bool), Failure> {
    let url = std::env::var("DATABASE_URL").map_err(|_| Failure::new("DATABASE_URL is not set"))?;
    let mut config = Config::from_str(&url).map_err(|_| {
        Failure::new("DATABASE_URL cannot be read: postgres://… or key=value, sslmode disable or require")
    })?;
    // The driver's default would go on in plain text if a host on the way claims that the server knows no TLS.
    if config.get_ssl_mode() == SslMode::Prefer {
        config.ssl_mode(SslMode::Require);
    }
    let sockets = config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_)));
    if config.get_password().is_none() {
        if let Ok(password) = std::env::var("PGPASSWORD") {
            config.password(password);
        }
    }
    if config.get_application_name().is_none() {
        config.application_name("slotkeeper");
    }
    if sockets || config.get_ssl_mode() == SslMode::Disable {
        config.ssl_mode(SslMode::Disable);
        let (client, connection) = config.connect(NoTls).await.map_err(|error| refused(&error))?;
        tokio::spawn(connection);
        Ok((client, true))
    } else {
        let (client, connection) = config.connect(tls()?).await.map_err(|error| refused(&error))?;
        tokio::spawn(connection);
        Ok((client, false))
    }
}

/// Certificates are always verified: a server with one of its own needs PGSSLROOTCERT.
fn tls() -> Result<MakeRustlsConnect, Failure> {
    let certificates = match std::env::var("PGSSLROOTCERT") {
        // The same variable as the loader of the system's certificates reads would name a file for every program.
        Ok(file) => rustls_native_certs::load_certs_from_paths(Some(file.as_ref()), None),
        Err(_) => rustls_native_certs::load_native_certs(),
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates.certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| Failure::new("no version of TLS is to be had"))?;
    Ok(MakeRustlsConnect::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// The server's text for a refused log-in names the role and the database, which the operator knows; the driver's own
/// texts for a broken connection say what broke.
fn refused(error: &tokio_postgres::Error) -> Failure {
    use std::error::Error as _;
    let text = match (error.as_db_error(), error.source()) {
        (Some(server), _) => server.message().to_owned(),
        (None, Some(source)) => source.to_string(),
        (None, None) => error.to_string(),
    };
    let hint = if text.contains("certificate") || text.contains("does not support TLS") {
        " (trust its certificate by PGSSLROOTCERT, or go without TLS by sslmode=disable)"
    } else {
        ""
    };
    Failure::new(format!("cannot connect: {text}{hint}"))
}
