//! The private folder a server lives in: its data, its socket, its log.

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process,
    time::{SystemTime, UNIX_EPOCH},
};

use super::account::{self, Account};
use crate::Error;

/// A socket's path is held in 104 bytes on some systems; the file itself is `/.s.PGSQL.5432`.
const LONGEST: usize = 100 - "/.s.PGSQL.5432".len();

/// Makes a folder only the account (and root) can enter. That is the access control: inside it everyone is trusted.
pub(super) fn make(account: Option<&Account>) -> Result<PathBuf, Error> {
    let age = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.subsec_nanos());
    let name = format!("slotkeeper-pg-{}-{age:x}", process::id());
    let parents = [env::temp_dir(), "/tmp".into(), "/dev/shm".into()];
    let fits = |parent: &&PathBuf| {
        parent.is_absolute() && parent.join(&name).as_os_str().len() <= LONGEST && account::reaches(parent)
    };
    let parent = parents.iter().find(fits);
    let parent =
        parent.ok_or_else(|| Error::new("the temp folder's path is too long or closed; set TMPDIR"))?;
    let folder = parent.join(name);
    fs::create_dir(&folder).map_err(Error::on(format!("make the folder {}", folder.display())))?;
    if let Err(error) = close(&folder, account) {
        let _ = fs::remove_dir(&folder);
        return Err(error);
    }
    Ok(folder)
}

fn close(folder: &Path, account: Option<&Account>) -> Result<(), Error> {
    let private = fs::Permissions::from_mode(0o700);
    fs::set_permissions(folder, private).map_err(Error::on("close the server's folder"))?;
    match account {
        None => Ok(()),
        Some(to) => {
            chown(folder, Some(to.uid), Some(to.gid)).map_err(Error::on("hand over the server's folder"))
        }
    }
}
