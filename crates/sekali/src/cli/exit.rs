//! Exit codes of the process.

use std::process::ExitCode;

/// Every exit code of `sekali`. The numbers are part of its interface: scripts and supervisors
/// branch on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Success = 0,
    /// Anything that has no code of its own.
    Failed = 1,
    /// The command line was not understood.
    Usage = 2,
    /// The server could not be reached, or did not recover while we retried.
    Unreachable = 3,
    /// The server refused what was sent (4xx), or an input line is not an event.
    Refused = 4,
    /// Another process has the data directory open.
    DataDirInUse = 5,
    /// The address to listen on is taken or not ours.
    CannotListen = 6,
    /// The data directory was written by a newer version.
    NewerFormat = 7,
    /// The data directory is damaged in a way that serving cannot work around.
    Damaged = 8,
    /// A write or sync failed while serving; the server drained and left.
    Stopped = 9,
    /// Interrupted by a signal before it was done: 128 + SIGINT, as shells have it.
    Interrupted = 130,
}

impl Exit {
    /// All codes, in order.
    pub const ALL: [Self; 11] = [
        Self::Success,
        Self::Failed,
        Self::Usage,
        Self::Unreachable,
        Self::Refused,
        Self::DataDirInUse,
        Self::CannotListen,
        Self::NewerFormat,
        Self::Damaged,
        Self::Stopped,
        Self::Interrupted,
    ];

    /// The number the process exits with.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The meaning of the code, for the help text.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Success => "done",
            Self::Failed => "failed for a reason without a code of its own",
            Self::Usage => "the command line was not understood",
            Self::Unreachable => "the server cannot be reached, or did not recover while retrying",
            Self::Refused => "the server refused the data, or an input line is not an event",
            Self::DataDirInUse => "another process has the data directory open",
            Self::CannotListen => "cannot listen on the address",
            Self::NewerFormat => "the data directory was written by a newer version",
            Self::Damaged => "the data directory is damaged",
            Self::Stopped => "a write or sync failed while serving: restart to recover",
            Self::Interrupted => "interrupted before it was done",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_never_change_their_meaning() {
        let table: Vec<String> = Exit::ALL.iter().map(|exit| format!("{} {exit:?}", exit.code())).collect();
        expect_test::expect![[r#"
            0 Success
            1 Failed
            2 Usage
            3 Unreachable
            4 Refused
            5 DataDirInUse
            6 CannotListen
            7 NewerFormat
            8 Damaged
            9 Stopped
            130 Interrupted"#]]
        .assert_eq(&table.join("\n"));
    }
}
