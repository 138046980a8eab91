//! PostgreSQL as it is installed here.

use std::{
    cmp::Reverse,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::account;

/// What the library needs; `DROP DATABASE … WITH (FORCE)` of the kit needs 13.
const OLDEST: u32 = 14;

/// Folders that hold one folder per version.
const COLLECTIONS: &[&str] = &[
    "/usr/lib/postgresql",
    "/usr/local/pgsql",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/Applications/Postgres.app/Contents/Versions",
    "/Library/PostgreSQL",
];

/// Folders with the version in their name: Red Hat's, Alpine's.
const NUMBERED: &[&str] = &["/usr/pgsql-{}/bin", "/usr/libexec/postgresql{}", "/usr/lib/postgresql{}/bin"];

/// The folder itself if it is fit, else why not.
pub(super) fn named(folder: &Path) -> Result<PathBuf, String> {
    let bin = tools(folder).ok_or("there are no initdb and postgres in it")?;
    inspect(&bin).map(|()| bin)
}

/// The first fit one. What was found and is unfit is noted: it explains why nothing was.
pub(super) fn search(unfit: &mut Vec<String>) -> Option<PathBuf> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for bin in candidates().iter().filter_map(|folder| tools(folder)) {
        if seen.contains(&bin) {
            continue;
        }
        match inspect(&bin) {
            Ok(()) => return Some(bin),
            Err(why) => unfit.push(format!("{}: {why}", bin.display())),
        }
        seen.push(bin);
    }
    None
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = asked("pg_config", "--bindir").into_iter().collect();
    folders.extend(env::var_os("PATH").iter().flat_map(env::split_paths));
    let mut known: Vec<PathBuf> = COLLECTIONS.iter().flat_map(|base| versions(Path::new(base))).collect();
    let numbered =
        |number: u32| NUMBERED.iter().map(move |form| form.replace("{}", &number.to_string()).into());
    known.extend((OLDEST..40).flat_map(numbered));
    known.sort_by_key(|folder| Reverse(number_in(folder)));
    folders.extend(known);
    folders
}

fn versions(base: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(base).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().join("bin")).chain([base.join("bin")]).collect()
}

/// The first number in a text: 16 in `…/postgresql@16/bin`, 0 if there is none.
fn number_in(text: &Path) -> u32 {
    let text = text.to_string_lossy();
    text.split(|c: char| !c.is_ascii_digit()).find_map(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Where the programs really are: links stand in other folders, and the libraries are found from the real one.
fn tools(folder: &Path) -> Option<PathBuf> {
    let initdb = folder.join("initdb").canonicalize().ok()?;
    let bin = initdb.parent()?.to_owned();
    (bin.join("initdb").is_file() && bin.join("postgres").is_file()).then_some(bin)
}

fn inspect(bin: &Path) -> Result<(), String> {
    if !account::reaches(bin) {
        return Err("the service account that stands in for root cannot get there".into());
    }
    let version = asked(bin.join("postgres"), "--version").ok_or("its postgres does not run")?;
    let major = number_in(&version);
    if major < OLDEST {
        return Err(format!("it is {}, the oldest that serves is {OLDEST}", version.display()));
    }
    if !has_btree_gist(bin, major) {
        return Err("it has no btree_gist (often in a package named postgresql-contrib)".into());
    }
    Ok(())
}

pub(super) fn has_btree_gist(bin: &Path, major: u32) -> bool {
    let mut shares: Vec<PathBuf> = asked(bin.join("pg_config"), "--sharedir").into_iter().collect();
    shares.extend(["../share/postgresql", "../share"].map(|folder| bin.join(folder)));
    shares.push(bin.join(format!("../share/postgresql@{major}")));
    shares.push(format!("/usr/share/postgresql/{major}").into());
    shares.iter().any(|share| share.join("extension/btree_gist.control").is_file())
}

/// What a program prints, if it runs at all.
fn asked(program: impl AsRef<Path>, question: &str) -> Option<PathBuf> {
    let out = Command::new(program.as_ref()).arg(question).output().ok()?;
    let said = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    (out.status.success() && !said.is_empty()).then(|| said.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_a_folder_and_from_what_postgres_says() {
        for (text, number) in [
            ("/opt/homebrew/opt/postgresql@16/bin", 16),
            ("/usr/pgsql-17/bin", 17),
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", 15),
            ("/usr/local/pgsql/bin", 0),
        ] {
            assert_eq!(number_in(Path::new(text)), number, "{text}");
        }
    }
}
