//! Threads whose work can wait: sealing, and what the dedup index does behind the commits.

use std::io;
use std::thread::{self, JoinHandle};

/// How far such a thread steps back, in the operating system's units. At 5 it gets a third of what
/// a thread that commits or answers gets where both want a core; that is more than sealing and
/// merging need to keep up with the most that can be ingested, and little enough that a commit does
/// not wait for its turn.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Starts a thread for work that gives way to commits and answers where there are not enough cores.
///
/// # Errors
/// The operating system refuses a thread.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        give_way();
        work();
    })
}

/// Where it is refused, the work is done all the same.
#[cfg(target_os = "linux")]
fn give_way() {
    // On Linux this concerns the calling thread alone.
    let _ = rustix::process::setpriority_process(None, NICE);
}

/// Other systems know no such thing of single threads.
#[cfg(not(target_os = "linux"))]
fn give_way() {}
