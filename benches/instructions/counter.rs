//! The counter: callgrind writes down what it counted whenever the back end parses a statement, which prepared ones do not.

use crate::support::House;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, exit},
};

/// The tool, and where it writes: into the server's own folder.
const UNDER: &str =
    "valgrind --quiet --tool=callgrind --callgrind-out-file=callgrind.%p --dump-before=pg_parse_query";

/// Whether this process's server runs under callgrind. If not, the same bench is run once more with one that does, and this
/// process has only to end with its result.
pub fn under_callgrind() -> bool {
    if env::var("KIT_UNDER").is_ok_and(|under| under == UNDER) {
        return true;
    }
    assert!(
        Command::new("valgrind").arg("--version").output().is_ok(),
        "valgrind is needed to count instructions: Debian and others have it as a package of that name"
    );
    let own = env::current_exe().expect("the path of this bench");
    let status = Command::new(own).args(env::args_os().skip(1)).env("KIT_UNDER", UNDER).status();
    match status.expect("this bench, started again").code() {
        Some(0) => false,
        code => exit(code.unwrap_or(1)),
    }
}

/// Reads what callgrind counted in the back end of a house's connection.
pub struct Counter {
    folder: PathBuf,
    prefix: String,
}

/// What was counted since the mark before.
pub struct Counted(PathBuf);

impl Counter {
    pub async fn of(house: &House) -> Self {
        let pid: i32 =
            house.client.query_one("SELECT pg_backend_pid()", &[]).await.expect("its process").get(0);
        let folder = house.db.server().socket_dir().expect("a server of our own").to_owned();
        Self { folder, prefix: format!("callgrind.{pid}.") }
    }

    /// Makes the back end write down what it counted up to here.
    pub async fn mark(&self, house: &House) -> Counted {
        // The simple protocol: parsed each time.
        house.client.batch_execute("SELECT").await.expect("a mark");
        let files = fs::read_dir(&self.folder).expect("the server's folder").flatten();
        let number = |path: &Path| -> Option<u64> {
            path.file_name()?.to_str()?.strip_prefix(&self.prefix)?.parse().ok()
        };
        let newest = files.map(|file| file.path()).filter_map(|path| Some((number(&path)?, path))).max();
        Counted(newest.expect("callgrind's file").1)
    }

    /// Keeps what callgrind wrote, by function, for whoever wants to know where it went.
    pub fn keep(&self, id: &str, file: &Path) {
        let target = env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
        let folder = Path::new(&target).join("slotkeeper-callgrind");
        fs::create_dir_all(&folder).expect("a folder for profiles");
        fs::copy(file, folder.join(id)).expect("a copy");
    }
}

impl Counted {
    pub fn file(&self) -> &Path {
        &self.0
    }

    pub fn instructions(&self) -> u64 {
        let text = fs::read_to_string(&self.0).expect("what callgrind wrote");
        let total = text.lines().find_map(|line| line.strip_prefix("summary: "));
        total.and_then(|total| total.trim().parse().ok()).expect("a summary")
    }
}
