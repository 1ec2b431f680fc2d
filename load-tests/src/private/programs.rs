//! Where the programs of a server are, how they are run, and as whom.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use super::PrivateError;

/// Where Debian keeps each version's programs, which are not all in the search path.
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// The directory with `initdb`, `postgres` and `psql`: of the `initdb` in the search path, else the newest version that Debian installed.
pub(super) fn postgres() -> Result<PathBuf, PrivateError> {
    find_postgres(&env::var_os("PATH").unwrap_or_default(), Path::new(POSTGRES_VERSIONS))
}

fn find_postgres(path: &OsStr, versions: &Path) -> Result<PathBuf, PrivateError> {
    let complete =
        |folder: &Path| ["initdb", "postgres", "psql"].iter().all(|name| folder.join(name).is_file());
    // What is in the search path may be a link to one program alone: its brothers are where it really is.
    let in_path =
        find("initdb", path).and_then(|initdb| Some(initdb.canonicalize().ok()?.parent()?.to_owned()));
    let newest = || {
        let installed = versions.read_dir().ok()?.filter_map(Result::ok).map(|entry| entry.path());
        let bins = installed.map(|version| (number(&version), version.join("bin")));
        bins.filter(|(_, bin)| complete(bin)).max().map(|(_, bin)| bin)
    };
    in_path.filter(|bin| complete(bin)).or_else(newest).ok_or(PrivateError::Missing {
        program: "PostgreSQL (initdb, postgres, psql)",
        package: "postgresql",
    })
}

/// `9.6` is older than `15`.
fn number(version: &Path) -> Vec<u32> {
    let name = version.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// The `redis-server` in the search path.
pub(super) fn redis() -> Result<PathBuf, PrivateError> {
    find_redis(&env::var_os("PATH").unwrap_or_default())
}

fn find_redis(path: &OsStr) -> Result<PathBuf, PrivateError> {
    let missing = PrivateError::Missing { program: "redis-server", package: "redis-server" };
    find("redis-server", path).ok_or(missing)
}

fn find(program: &str, path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// A new directory for a server's files.
pub(super) fn directory(server: &str) -> Result<TempDir, PrivateError> {
    let made = tempfile::Builder::new().prefix(&format!("anteroom-{server}-")).tempdir();
    made.map_err(|source| PrivateError::system("a temporary directory", source))
}

/// Runs a program to its end and gives what it wrote.
pub(super) async fn run(command: &mut Command) -> Result<String, PrivateError> {
    let program = command.as_std().get_program().to_owned();
    let quiet = command.stdin(Stdio::null()).kill_on_drop(true);
    let output = quiet.output().await.map_err(|source| PrivateError::system(&program, source))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let told = [output.stdout, output.stderr].concat();
    let program = program.to_string_lossy().into_owned();
    Err(PrivateError::Failed { program, output: String::from_utf8_lossy(&told).into_owned() })
}

/// Who a server runs as: PostgreSQL refuses to be root.
#[derive(Debug, Clone, Copy)]
pub(super) enum RunAs {
    /// Whoever we are.
    Ourselves,
    /// Somebody who can do less, by number.
    Other {
        /// The user.
        uid: u32,
        /// The user's own group.
        gid: u32,
    },
}

impl RunAs {
    /// Ourselves unless we are root, else `postgres` if there is such a user, else `nobody`.
    pub(super) async fn not_root() -> Result<Self, PrivateError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Ourselves);
        }
        if find("setpriv", &env::var_os("PATH").unwrap_or_default()).is_none() {
            return Err(PrivateError::Missing { program: "setpriv", package: "util-linux" });
        }
        let user = if id("-u", "postgres").await.is_ok() { "postgres" } else { "nobody" };
        Ok(Self::Other { uid: id("-u", user).await?, gid: id("-g", user).await? })
    }

    /// This command, as that user.
    pub(super) fn command(self, program: &Path, args: &[OsString]) -> Vec<OsString> {
        let mut words: Vec<OsString> = match self {
            Self::Ourselves => Vec::new(),
            Self::Other { uid, gid } => vec![
                "setpriv".into(),
                format!("--reuid={uid}").into(),
                format!("--regid={gid}").into(),
                "--clear-groups".into(),
                "--".into(),
            ],
        };
        words.push(program.into());
        words.extend(args.iter().cloned());
        words
    }

    /// Makes a directory and all in it that user's, and nobody else's to read.
    pub(super) async fn own(self, directory: &Path) -> Result<(), PrivateError> {
        let locked = std::fs::set_permissions(directory, Permissions::from_mode(0o700));
        locked.map_err(|source| PrivateError::system(directory, source))?;
        let Self::Other { uid, gid } = self else { return Ok(()) };
        let mut chown = Command::new("chown");
        chown.arg("-R").arg(format!("{uid}:{gid}")).arg("--").arg(directory);
        run(&mut chown).await.map(drop)
    }
}

async fn id(which: &str, user: &str) -> Result<u32, PrivateError> {
    let told = run(Command::new("id").args([which, user])).await?;
    let odd = || PrivateError::Failed { program: "id".to_owned(), output: told.clone() };
    told.trim().parse().map_err(|_| odd())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_program_that_is_missing_is_named_with_the_package_that_has_it() {
        let nowhere = Path::new("/nonexistent");
        let told = find_postgres(nowhere.as_os_str(), nowhere).unwrap_err().to_string();
        assert!(told.contains("initdb") && told.contains("apt-get install postgresql"), "{told}");
        let told = find_redis(nowhere.as_os_str()).unwrap_err().to_string();
        assert!(told.contains("apt-get install redis-server"), "{told}");
    }

    #[test]
    fn of_the_versions_that_are_installed_the_newest_complete_one_is_taken() {
        let versions = TempDir::new().unwrap();
        for version in ["9.6", "15", "17"] {
            let bin = versions.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            // Of 17 only the client is there.
            let programs: &[&str] = if version == "17" { &["psql"] } else { &["initdb", "postgres", "psql"] };
            programs.iter().for_each(|name| fs::write(bin.join(name), "").unwrap());
        }
        let found = find_postgres("/nonexistent".as_ref(), versions.path()).unwrap();
        assert_eq!(found, versions.path().join("15/bin"));
    }
}
