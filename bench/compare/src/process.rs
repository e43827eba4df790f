//! Subprocesses that end with their parent.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Outcome;

/// The longest time for a peer to start.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest time for a peer to exit before it is killed.
const END_TIMEOUT: Duration = Duration::from_secs(10);
const LOG_LINES_SHOWN: usize = 20;

/// A running process. When dropped, it is told to exit, and killed if it does not.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    name: &'static str,
    log: PathBuf,
    end_with: Signal,
}

impl Process {
    /// Starts `command`, with its output in a log in `dir`.
    pub(crate) fn start(name: &'static str, command: &mut Command, dir: &Path) -> Outcome<Self> {
        let log = dir.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn();
        let child = child.map_err(|error| format!("cannot start {name}: {error}"))?;
        Ok(Self { child, name, log, end_with: Signal::TERM })
    }

    /// Starts `command`, which writes `listening on <address>` to standard output once it listens.
    /// Returns the address.
    pub(crate) fn start_listening(name: &'static str, command: &mut Command, dir: &Path) -> Outcome<(Self, String)> {
        let log = dir.join(format!("{name}.log"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?).spawn();
        let child = child.map_err(|error| format!("cannot start {name}: {error}"))?;
        let mut process = Self { child, name, log, end_with: Signal::TERM };
        let mut line = String::new();
        if let Some(stdout) = process.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        match line.trim_end().strip_prefix("listening on ") {
            Some(address) => Ok((process, address.to_owned())),
            None => Err(process.complaint("did not say where it listens").into()),
        }
    }

    /// Ends the process by another signal than SIGTERM.
    pub(crate) fn ending_with(mut self, signal: Signal) -> Self {
        self.end_with = signal;
        self
    }

    /// Waits until `ready` succeeds.
    pub(crate) fn wait_until<T>(&mut self, mut ready: impl FnMut() -> Outcome<T>) -> Outcome<T> {
        let end = Instant::now() + START_TIMEOUT;
        loop {
            let error = match ready() {
                Ok(found) => return Ok(found),
                Err(error) => error,
            };
            if let Some(status) = self.child.try_wait()? {
                return Err(self.complaint(&format!("ended with {status}")).into());
            }
            if Instant::now() > end {
                return Err(self.complaint(&format!("is not ready after {START_TIMEOUT:?}: {error}")).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until it accepts connections at `port`.
    pub(crate) fn wait_for_port(&mut self, port: u16) -> Outcome<()> {
        self.wait_until(|| Ok(TcpStream::connect(("127.0.0.1", port)).map(drop)?))
    }

    fn complaint(&self, what: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let end = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n  ");
        format!("{} {what}; the end of its log:\n  {end}", self.name)
    }

    fn end(&mut self) -> std::io::Result<ExitStatus> {
        // Its id is not reused until it is waited for.
        let _ = kill_process(Pid::from_child(&self.child), self.end_with);
        let end = Instant::now() + END_TIMEOUT;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill()?;
        self.child.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that cannot be signalled has exited.
        let _ = self.end();
    }
}

/// The command for a `program` that dies with this process, even if that is killed. It must be
/// started from the main thread.
///
pub(crate) fn bound(program: &Path, user: Option<&str>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if let Some(user) = user {
        command.args(["--reuid", user, "--regid", user, "--init-groups"]);
    }
    command.arg("--").arg(program);
    command
}

/// The standard output of `command`, trimmed.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name} ended with {}: {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A free port of 127.0.0.1.
pub(crate) fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// The path of a program that can be run by name, or in one of these directories.
pub(crate) fn find(program: &str, more: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = more.iter().cloned().chain(std::env::split_paths(&path));
    dirs.map(|dir| dir.join(program)).find(|path| path.is_file())
}
