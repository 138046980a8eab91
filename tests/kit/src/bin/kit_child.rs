//! A process that uses the kit and ends as it is told, for the tests of what it leaves behind.
//!
//! It prints the folder, the process and the version of its server and the name of its database, a line each, and then
//! does what its only argument says.

#![forbid(unsafe_code)]

use std::io::{self, Write};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), kit::Error> {
    let database = kit::database().await?;
    let server = database.server();
    let folder = server.socket_dir().map_or_else(String::new, |folder| folder.display().to_string());
    let pid = server.pid().unwrap_or_default();
    let _ = writeln!(io::stdout(), "{folder}\n{pid}\n{}\n{}", server.version(), database.name());
    let mut line = String::new();
    // Until the parent has looked whether the server lives.
    let _ = io::stdin().read_line(&mut line);
    match std::env::args().nth(1).as_deref() {
        Some("leak") => {
            std::mem::forget(database);
            std::process::exit(0)
        }
        Some("panic") => panic!("as told"),
        Some("abort") => std::process::abort(),
        Some("wait") => std::thread::sleep(std::time::Duration::from_secs(60)),
        _ => {}
    }
    Ok(())
}
