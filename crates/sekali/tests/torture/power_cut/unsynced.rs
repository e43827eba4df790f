//! A server on a disk that only pretends to sync. The rig and the oracle must catch it.
//!
//! It is this test program, started again in another role, so that the product contains none of it.

use std::env;
use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use sekali_server::server::{Config, Internals, Server};
use sekali_store::disk::{Disk, DiskFile, RealDisk};

use sekali_testkit::{Tamper, TamperedDisk};

const SYNCS: &str = "SEKALI_TORTURE_ROLE_SYNCS";
const LISTEN: &str = "SEKALI_TORTURE_ROLE_LISTEN";
const DATA_DIR: &str = "SEKALI_TORTURE_ROLE_DATA_DIR";

/// The role of this program as the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Role {
    /// Whether it syncs.
    pub(super) syncs: bool,
}

impl Role {
    /// Starts this program again, in this role. `test` is the test that calls
    /// [`Role::of_this_process`].
    pub(super) fn command(self, test: &str, dir: &Path, port: u16) -> Command {
        let mut command = Command::new(env::current_exe().expect("the path of this program"));
        command.args(["--exact", test, "--nocapture"]);
        command.env(SYNCS, self.syncs.to_string()).env(LISTEN, format!("127.0.0.1:{port}")).env(DATA_DIR, dir);
        command
    }

    /// The role in which this process was started, if any.
    pub(super) fn of_this_process() -> Option<Self> {
        let syncs = env::var(SYNCS).ok()?;
        Some(Self { syncs: syncs.parse().expect("true or false") })
    }

    /// Serves until it is killed.
    pub(super) async fn serve(self) {
        let setting = |name| env::var(name).expect("it is set together with the role");
        let disk: Arc<dyn Disk> = if self.syncs { Arc::new(RealDisk) } else { Arc::new(UnsyncedDisk::default()) };
        let config = Config { listen: setting(LISTEN), data_dir: setting(DATA_DIR).into(), ..Config::default() };
        let server = Server::start_with(config, Internals::on(disk)).await.expect("it starts");
        server.run_until(std::future::pending()).await;
    }
}

/// The real disk, without its syncs.
type UnsyncedDisk = TamperedDisk<NoSyncs>;

#[derive(Debug, Default)]
struct NoSyncs;

impl Tamper for NoSyncs {
    fn sync(&self, _: &dyn DiskFile) -> io::Result<()> {
        Ok(())
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}
