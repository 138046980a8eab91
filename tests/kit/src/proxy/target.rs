//! The server behind the proxy: a socket in a folder, or a host.

use std::path::PathBuf;

use tokio::{
    io::{self, AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};
use tokio_postgres::{Config, config::Host};

use crate::Error;

pub(super) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(super) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

#[derive(Clone, Debug)]
pub(super) enum Target {
    Unix(PathBuf),
    Tcp(String, u16),
}

impl Target {
    /// The first host of a configuration.
    pub(super) fn of(config: &Config) -> Result<Self, Error> {
        let port = config.get_ports().first().copied().unwrap_or(5432);
        if let Some(address) = config.get_hostaddrs().first() {
            return Ok(Self::Tcp(address.to_string(), port));
        }
        match config.get_hosts().first() {
            Some(Host::Tcp(name)) => Ok(Self::Tcp(name.clone(), port)),
            Some(Host::Unix(folder)) => Ok(Self::Unix(folder.join(format!(".s.PGSQL.{port}")))),
            None => Err(Error::new("the proxy's target names no host")),
        }
    }

    pub(super) async fn connect(&self) -> io::Result<(Reader, Writer)> {
        Ok(match self {
            Self::Unix(socket) => {
                let (reader, writer) = UnixStream::connect(socket).await?.into_split();
                (Box::new(reader), Box::new(writer))
            }
            Self::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                let (reader, writer) = stream.into_split();
                (Box::new(reader), Box::new(writer))
            }
        })
    }

    /// The same login, at another door: a configuration cannot be rid of its hosts, so it is made anew.
    pub(super) fn through(config: &Config, port: u16) -> Config {
        let mut through = Config::new();
        through.host("127.0.0.1").port(port).ssl_mode(tokio_postgres::config::SslMode::Disable);
        if let Some(user) = config.get_user() {
            through.user(user);
        }
        if let Some(password) = config.get_password() {
            through.password(password);
        }
        if let Some(name) = config.get_dbname() {
            through.dbname(name);
        }
        if let Some(options) = config.get_options() {
            through.options(options);
        }
        through
    }
}
