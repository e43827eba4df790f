//! Why a command ended early: one line for people, one code for scripts.

use std::io;

use sekali_store::Error as StoreError;

use crate::cli::Exit;
use crate::cli::listen::with_causes;
use sekali_client::ClientError;

/// A command's error. The message, where there is one, is printed once as `sekali: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the process exits with.
    pub exit: Exit,
    /// One line that says what to do; `None` ends quietly.
    pub message: Option<String>,
}

impl Failure {
    /// Ends with `exit` after printing `message`.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: Some(message.into()) }
    }

    /// Ends with `exit`; everything has been said already.
    pub fn quiet(exit: Exit) -> Self {
        Self { exit, message: None }
    }

    /// Standard output could not be written. A closed pipe (`| head`) only means that the reader has seen enough.
    pub fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::quiet(Exit::Success),
            _ => Self::new(Exit::Failed, format!("cannot write to standard output: {error}")),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::Unreachable { .. } | ClientError::Unavailable { .. } | ClientError::NoTrust { .. } => {
                Exit::Unreachable
            }
            ClientError::Refused(_) => Exit::Refused,
            ClientError::Unexpected { .. } | ClientError::Tls(_) => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

/// Of a command that works on a data directory without a server.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Locked(_) => Exit::DataDirInUse,
            StoreError::NewerFormat { .. } => Exit::NewerFormat,
            StoreError::Damaged { .. } => Exit::Damaged,
            StoreError::Invalid(_) => Exit::Usage,
            _ => Exit::Failed,
        };
        Self::new(exit, with_causes(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_not_an_error() {
        let failure = Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(failure, Failure::quiet(Exit::Success));
        assert_eq!(Failure::output(&io::Error::other("disk gone")).exit, Exit::Failed);
    }
}
