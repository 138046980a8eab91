//! Who the server runs as. PostgreSQL refuses root, and containers are root.

use std::{
    fs,
    os::unix::{fs::MetadataExt, process::CommandExt},
    path::Path,
    process::Command,
    sync::OnceLock,
};

/// The account that stands in for root.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Our own user id, by the one way that needs neither `unsafe` nor Linux.
pub(super) fn own_uid() -> u32 {
    static UID: OnceLock<u32> = OnceLock::new();
    *UID.get_or_init(|| {
        let id = Command::new("id").arg("-u").output().ok();
        // Not being able to tell is no reason to drop privileges one may not have.
        id.and_then(|out| String::from_utf8_lossy(&out.stdout).trim().parse().ok()).unwrap_or(u32::MAX)
    })
}

/// Whom to run as: `postgres`, else `nobody`. None if we are not root: as ourselves.
pub(super) fn service() -> Option<Account> {
    if own_uid() != 0 {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let find =
        |name: &str| passwd.lines().find_map(|line| parse(line).filter(|account| account.name == name));
    let unnamed = || Account { name: "nobody".into(), uid: 65534, gid: 65534 };
    Some(find("postgres").or_else(|| find("nobody")).unwrap_or_else(unnamed))
}

fn parse(line: &str) -> Option<Account> {
    let mut fields = line.split(':');
    let name = fields.next()?.to_owned();
    let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Account { name, uid, gid })
}

/// Makes a command run as the service account.
pub(super) fn assume(command: &mut Command, account: Option<&Account>) {
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
}

/// Whether the service account can get at what is in this folder: `/root` is closed to it.
pub(super) fn reaches(folder: &Path) -> bool {
    let open = |dir: &Path| fs::metadata(dir).is_ok_and(|found| found.mode() & 0o001 != 0);
    own_uid() != 0 || folder.ancestors().filter(|dir| !dir.as_os_str().is_empty()).all(open)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_its_line() {
        let found =
            parse("postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash").unwrap();
        assert_eq!((found.name.as_str(), found.uid, found.gid), ("postgres", 101, 104));
        assert!(parse("postgres:x:unknown").is_none());
    }
}
