//! Why a command ended early: one line for people, one code for scripts.

use std::error::Error;
use std::io;

use sekali_store::Error as StoreError;

use crate::cli::exit::Exit;
use sekali_client::ClientError;
use sekali_server::access::KeysError;
use sekali_server::consumers::ConsumersFileError;
use sekali_server::server::StartError;

/// A command's error. The message, where there is one, is printed once as `sekali: …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// The exit code of the process.
    pub(crate) exit: Exit,
    /// One line that says what to do; `None` ends quietly.
    pub(crate) message: Option<String>,
}

impl Failure {
    /// Ends with `exit` after printing `message`.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: Some(message.into()) }
    }

    /// Ends with `exit`; everything has been said already.
    pub(crate) fn quiet(exit: Exit) -> Self {
        Self { exit, message: None }
    }

    /// Standard output could not be written. A closed pipe (`| head`) only means that the reader
    /// has seen enough.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::quiet(Exit::Success),
            _ => Self::new(Exit::Failed, format!("cannot write to standard output: {error}")),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let exit = match &error {
            ClientError::Unreachable { .. }
            | ClientError::Unavailable { .. }
            | ClientError::NoTrust { .. }
            | ClientError::OtherScheme { .. } => Exit::Unreachable,
            ClientError::Refused(_) => Exit::Refused,
            ClientError::Unexpected { .. } | ClientError::Tls(_) => Exit::Failed,
        };
        let hint = match &error {
            ClientError::Unreachable { connected: false, .. } => {
                "; start the server with 'sekali serve', or name another with --url"
            }
            _ => "",
        };
        match &error {
            ClientError::Refused(refusal) if let Some(message) = by_option(&refusal.message) => {
                Self::new(exit, message)
            }
            _ => Self::new(exit, format!("{error}{hint}")),
        }
    }
}

/// Rewords a server's message about a parameter for the option that sets it.
fn by_option(message: &str) -> Option<String> {
    if let Some((before, behind)) = message.split_once("leave `after` out") {
        return Some(format!("--after: {before}leave it out{behind}"));
    }
    let (parameter, reason) = message.strip_prefix("parameter `")?.split_once('`')?;
    Some(format!("{}{reason}", option_of(parameter)?))
}

/// The option that sets a parameter, with the path that it is given.
fn option_of(parameter: &str) -> Option<String> {
    let place = parameter.split_once("payload.").and_then(|(operator, path)| {
        let option = match operator {
            "" => "--where",
            "not." => "--not-where",
            "min." => "--min",
            "below." => "--below",
            "match." => "--match",
            _ => return None,
        };
        Some(format!("{option} {path}"))
    });
    place.or_else(|| match parameter {
        "q" => Some("--grep".to_owned()),
        "topic" | "not.topic" | "source" | "not.source" | "event_id" | "since" | "until" | "has" | "interval"
        | "after" | "limit" | "order" | "within" => Some(format!("--{}", parameter.replace(['.', '_'], "-"))),
        _ => None,
    })
}

/// Of a command that works on a data directory without a server.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Locked(_) => Exit::DataDirInUse,
            StoreError::NewerFormat { .. } => Exit::NewerFormat,
            StoreError::Damaged { .. } | StoreError::Absent(_) => Exit::Damaged,
            StoreError::Invalid(_) => Exit::Usage,
            _ => Exit::Failed,
        };
        Self::new(exit, with_causes(&error))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let exit = match &error {
            StartError::DataDirInUse(_) | StartError::TakeOver { .. } => Exit::DataDirInUse,
            StartError::Listen { .. } => Exit::CannotListen,
            StartError::NewerFormat(_) => Exit::NewerFormat,
            StartError::Damaged(_) => Exit::Damaged,
            StartError::Config(_) | StartError::Exposed { .. } | StartError::NotEmpty { .. } => Exit::Usage,
            StartError::Keys(error) => return Self::from(error),
            StartError::Consumers(error) => return Self::from(error),
            StartError::DataDir { .. } | StartError::Tls(_) | StartError::Other(_) => Exit::Failed,
        };
        Self::new(exit, with_causes(&error))
    }
}

impl From<KeysError> for Failure {
    fn from(error: KeysError) -> Self {
        Self::from(&error)
    }
}

impl From<&KeysError> for Failure {
    fn from(error: &KeysError) -> Self {
        let exit = match error {
            KeysError::Damaged { .. } => Exit::Damaged,
            KeysError::NewerFormat { .. } => Exit::NewerFormat,
            KeysError::NoSuchKey => Exit::Usage,
            KeysError::Io { .. } | KeysError::TooMany => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ConsumersFileError> for Failure {
    fn from(error: ConsumersFileError) -> Self {
        Self::from(&error)
    }
}

impl From<&ConsumersFileError> for Failure {
    fn from(error: &ConsumersFileError) -> Self {
        let exit = match error {
            ConsumersFileError::Damaged { .. } => Exit::Damaged,
            ConsumersFileError::NewerFormat { .. } => Exit::NewerFormat,
            ConsumersFileError::Io { .. } => Exit::Failed,
        };
        Self::new(exit, error.to_string())
    }
}

/// The error with its causes on one line, without those that the text quotes already.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
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

    #[test]
    fn causes_are_told_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot create x")]
        struct Outer(#[source] std::io::Error);
        let error = Outer(std::io::Error::other("disk is read-only"));
        assert_eq!(with_causes(&error), "cannot create x: disk is read-only");
        let error = StartError::Listen { listen: "x".to_owned(), source: std::io::Error::other("in use") };
        assert_eq!(with_causes(&error).matches("in use").count(), 1);
    }

    #[test]
    fn what_a_server_says_of_a_parameter_is_said_of_the_option() {
        for (message, expected) in [
            ("parameter `interval`: too many", "--interval: too many"),
            ("parameter `q`: too long", "--grep: too long"),
            ("parameter `event_id`: is empty", "--event-id: is empty"),
            ("parameter `not.payload.a.payload.b`: no path", "--not-where a.payload.b: no path"),
            (
                "the cursor is damaged; leave `after` out to begin",
                "--after: the cursor is damaged; leave it out to begin",
            ),
        ] {
            assert_eq!(by_option(message).as_deref(), Some(expected));
        }
        for other in ["parameter `x`: unknown", "event 3 is of topic `q`", ""] {
            assert_eq!(by_option(other), None, "{other}");
        }
    }
}
