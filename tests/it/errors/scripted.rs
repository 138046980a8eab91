//! A server that says what it is told to: for engines, languages and moments that cannot be had here.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio_postgres::{Client, Config, Error, NoTls};

/// A connection on which every command with parameters is answered with the same error, and every other with success.
pub(crate) struct Scripted {
    pub(crate) client: Client,
    answers: Arc<AtomicUsize>,
}

impl Scripted {
    /// `fields` are those of an error message, by their one-letter names.
    pub(crate) async fn new(fields: &[(char, &str)]) -> Self {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let answers = Arc::new(AtomicUsize::new(0));
        tokio::spawn(serve(theirs, message(fields), Arc::clone(&answers)));
        let (client, connection) = Config::new().user("scripted").connect_raw(ours, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self { client, answers }
    }

    /// How often the error was given so far.
    pub(crate) fn answers(&self) -> usize {
        self.answers.load(Ordering::SeqCst)
    }
}

fn message(fields: &[(char, &str)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (field, value) in fields {
        body.push(u8::try_from(*field).unwrap());
        body.extend_from_slice(value.as_bytes());
        body.push(0);
    }
    body.push(0);
    let mut message = vec![b'E'];
    message.extend_from_slice(&u32::try_from(body.len() + 4).unwrap().to_be_bytes());
    message.extend_from_slice(&body);
    message
}

/// Ends when the client goes.
async fn serve(mut stream: DuplexStream, error: Vec<u8>, answers: Arc<AtomicUsize>) -> std::io::Result<()> {
    let length = stream.read_u32().await? as usize;
    stream.read_exact(&mut vec![0; length - 4]).await?;
    stream.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await?;
    loop {
        let kind = stream.read_u8().await?;
        let length = stream.read_u32().await? as usize;
        stream.read_exact(&mut vec![0; length - 4]).await?;
        match kind {
            // Simple query: BEGIN, SAVEPOINT and the like succeed.
            b'Q' => stream.write_all(b"C\0\0\0\x07OK\0Z\0\0\0\x05I").await?,
            // Sync: the end of a command with parameters.
            b'S' => {
                answers.fetch_add(1, Ordering::SeqCst);
                stream.write_all(&error).await?;
                stream.write_all(b"Z\0\0\0\x05I").await?;
            }
            _ => {}
        }
    }
}

/// An error with these fields.
pub(crate) async fn said(code: &str, message: &str, more: &[(char, &str)]) -> Error {
    let mut fields = vec![('S', "ERROR"), ('V', "ERROR"), ('C', code), ('M', message)];
    fields.extend_from_slice(more);
    let scripted = Scripted::new(&fields).await;
    scripted.client.query_typed("the script answers", &[]).await.expect_err("the script is an error")
}
