//! An ext4 file system on a loop device whose power can be cut.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

/// Sparse: unwritten parts take no space.
const IMAGE_BYTES: &str = "1G";

/// `EXT4_IOC_SHUTDOWN`: from now on the file system writes nothing to the device.
const SHUTDOWN: &str =
    "sysopen(my $dir, $ARGV[0], 0) or die $!; ioctl($dir, 0x8004587D, pack('L', $ARGV[1])) or die $!";

/// A mounted file system. Unmounted and removed when dropped.
#[derive(Debug)]
pub(super) struct Rig {
    dir: TempDir,
}

/// The effect of a cut on the file system's journal of names and sizes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut {
    /// The journal is written first, so that names and sizes exist and contents do not.
    JournalKept = 1,
    /// The journal is lost with all other unsynced data: a true power cut.
    JournalLost = 2,
}

impl Rig {
    /// Creates one. The error names the missing requirement.
    pub(super) fn new() -> Result<Self, String> {
        let rig = Self { dir: tempfile::tempdir().map_err(|error| error.to_string())? };
        std::fs::create_dir(rig.mount_point()).map_err(|error| error.to_string())?;
        run("perl", &["-e", "1"])?;
        run("truncate", &["-s", IMAGE_BYTES, &rig.image()])?;
        run("mkfs.ext4", &["-q", "-F", &rig.image()])?;
        rig.mount()?;
        Ok(rig)
    }

    /// Where it is mounted.
    pub(super) fn mount_point(&self) -> PathBuf {
        self.dir.path().join("mounted")
    }

    /// Syncs everything.
    pub(super) fn sync(&self) {
        run("sync", &["-f", &self.mount_point().display().to_string()]).unwrap();
    }

    /// Cuts the power.
    pub(super) fn cut(&self, cut: Cut) {
        let kind = (cut as u32).to_string();
        run("perl", &["-e", SHUTDOWN, &self.mount_point().display().to_string(), &kind]).unwrap();
    }

    /// Mounts the device again. No file may be open.
    pub(super) fn remount(&self) {
        // A process that copies the table of mounts meanwhile, such as a container engine, keeps
        // the powerless file system alive, and the next mount would get that one.
        let mut pause = Duration::ZERO;
        for _ in 0..20 {
            self.unmount().unwrap();
            thread::sleep(pause);
            self.mount().unwrap();
            if self.has_power() {
                return;
            }
            // An unmounted file system is not copied again.
            pause = Duration::from_millis(500);
        }
        panic!("the file system is still held by something else");
    }

    fn has_power(&self) -> bool {
        File::create(self.mount_point().join("probe")).is_ok()
    }

    fn image(&self) -> String {
        self.dir.path().join("image").display().to_string()
    }

    fn mount(&self) -> Result<(), String> {
        run("mount", &["-o", "loop", &self.image(), &self.mount_point().display().to_string()])
    }

    fn unmount(&self) -> Result<(), String> {
        let mount_point = self.mount_point().display().to_string();
        // A program that inspects all file systems may hold this one for a moment.
        for _ in 0..50 {
            if run("umount", &[&mount_point]).is_ok() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        run("umount", &[&mount_point])
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // If creation failed half way, it is not mounted.
        let _ = run("umount", &["--lazy", &self.mount_point().display().to_string()]);
    }
}

/// Runs a program. The error is the program's output.
fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(format!("{program}: {}", said.trim())) }
}
