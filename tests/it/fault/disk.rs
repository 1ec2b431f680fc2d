//! The disk of PostgreSQL is full, and then it is not.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::time::sleep;

use super::play::Play;
use super::{Fleet, lasting};

/// A small file system, which goes with this.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// One of a few megabytes, for the server that owns this directory.
    fn new(at: &Path, like: &Path) -> Self {
        let owner = fs::metadata(like).expect("a directory");
        fs::create_dir(at).expect("a directory");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(at).status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "this test has to be root, to mount a small disk"
        );
        chown(at, Some(owner.uid()), Some(owner.gid())).expect("its owner");
        Self(at.to_owned())
    }

    /// Takes all the room that is left.
    fn fill(&self) {
        let mut file = fs::File::create(self.0.join("filler")).expect("a file");
        while file.write_all(&[0; 4_096]).is_ok() {}
    }

    fn relieve(&self) {
        fs::remove_file(self.0.join("filler")).expect("removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // The server may have files open in it still.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes of faults on servers of its own: make proof runs it"]
async fn a_postgres_whose_disk_is_full_is_busy_until_there_is_room_and_has_everything_that_was_acknowledged()
{
    let fleet = Fleet::start(2).await;
    let data = fleet.postgres.data_directory();
    let disk = SmallDisk::new(&data.with_extension("small"), &data);
    fleet.query(&format!("CREATE TABLESPACE small LOCATION '{}'", disk.0.display())).await;
    fleet.query("ALTER TABLE entries SET TABLESPACE small").await;
    let play = Play::begin(&fleet, "disk-full").await;
    let breaking = play.breaks("full");
    disk.fill();
    sleep(lasting("ANTEROOM_FAULT_SECONDS", 8)).await;
    disk.relieve();
    play.goes_on(60).await;
    drop(breaking);
    let played = play.end(&fleet, 0).await;
    let errors = played.errors(None);
    eprintln!("{errors:?}");
    assert!(errors.keys().all(|code| ["busy", "held"].contains(code)), "nothing is unknown: {errors:?}");
    assert!(errors.contains_key("busy"), "the fault has hit: {errors:?}");
    assert!(fleet.postgres.log().contains("No space left on device"), "the fault has hit");
}
