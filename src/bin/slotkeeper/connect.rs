//! The way to the database.

use std::str::FromStr;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::Failure;

/// Connects to what DATABASE_URL names. No text of it is ever repeated: it holds a password.
pub(crate) async fn connect() -> Result<Client, Failure> {
    let url = std::env::var("DATABASE_URL").map_err(|_| Failure::new("DATABASE_URL is not set"))?;
    let mut config = Config::from_str(&url)
        .map_err(|_| Failure::new("DATABASE_URL is neither postgres://… nor a list of key=value"))?;
    if config.get_password().is_none() {
        if let Ok(password) = std::env::var("PGPASSWORD") {
            config.password(password);
        }
    }
    if config.get_application_name().is_none() {
        config.application_name("slotkeeper");
    }
    if config.get_ssl_mode() == SslMode::Disable {
        let (client, connection) = config.connect(NoTls).await.map_err(|error| refused(&error))?;
        tokio::spawn(connection);
        Ok(client)
    } else {
        let (client, connection) = config.connect(tls()?).await.map_err(|error| refused(&error))?;
        tokio::spawn(connection);
        Ok(client)
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
    let hint = if text.contains("certificate") {
        " (trust it by PGSSLROOTCERT, or go without TLS by sslmode=disable)"
    } else {
        ""
    };
    Failure::new(format!("cannot connect: {text}{hint}"))
}
