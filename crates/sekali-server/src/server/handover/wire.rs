//! The socket between the two processes: lines of text, and files that come with them.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

use crate::limits::HANDOVER_SOCKETS_MAX;

/// The name of the socket in a data directory.
const FILE: &str = "handover.sock";
/// The system takes no longer path of a socket: 108 bytes, with a zero behind.
const PATH_BYTES_MAX: usize = 107;
/// Longest line. It has names of sockets, or why a start failed.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// The first line of the process that takes over. Another number is another protocol.
pub(super) const HELLO: &str = "sekali handover 1";
/// In front of the names of the sockets that come with the line.
pub(super) const SOCKETS: &str = "sockets";
/// Asks for the store.
pub(super) const RELEASE: &str = "release";
/// The store is closed.
pub(super) const RELEASED: &str = "released";
/// The new process serves.
pub(super) const SERVING: &str = "serving";
/// In front of the reason why it does not.
pub(super) const FAILED: &str = "failed";

/// A line, with the files that came with it.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) files: Vec<OwnedFd>,
}

/// A path by which the socket of a data directory can be reached, while this lives.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
    _dir: Option<std::fs::File>,
}

impl Place {
    /// That of this data directory. A long path is shortened by way of the open directory.
    pub(super) fn of(dir: &Path) -> io::Result<Self> {
        use std::os::fd::AsRawFd as _;
        let path = dir.join(FILE);
        if path.as_os_str().len() <= PATH_BYTES_MAX {
            return Ok(Self { path, _dir: None });
        }
        let dir = std::fs::File::open(dir)?;
        let path = PathBuf::from(format!("/proc/self/fd/{}/{FILE}", dir.as_raw_fd()));
        Ok(Self { path, _dir: Some(dir) })
    }
}

/// Sends a line, and these files with it.
pub(super) async fn send(stream: &UnixStream, line: &str, files: &[BorrowedFd<'_>]) -> io::Result<()> {
    let text = format!("{}\n", line.replace('\n', " "));
    let mut rest = text.as_bytes();
    let mut files = Some(files).filter(|files| !files.is_empty());
    while !rest.is_empty() {
        let sent = stream.async_io(Interest::WRITABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDOVER_SOCKETS_MAX))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            if let Some(files) = files
                && !control.push(SendAncillaryMessage::ScmRights(files))
            {
                return Err(io::Error::other("too many sockets to hand over"));
            }
            Ok(sendmsg(stream, &[IoSlice::new(rest)], &mut control, SendFlags::NOSIGNAL)?)
        });
        rest = &rest[sent.await?..];
        files = None;
    }
    Ok(())
}

/// The next line.
///
/// # Errors
/// The other end is gone, or sends no lines.
pub(super) async fn receive(stream: &UnixStream) -> io::Result<Line> {
    let (mut text, mut files) = (Vec::new(), Vec::new());
    loop {
        let mut piece = [0; 1024];
        let received = stream.async_io(Interest::READABLE, || {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HANDOVER_SOCKETS_MAX))];
            let mut control = RecvAncillaryBuffer::new(&mut space);
            let into = &mut [IoSliceMut::new(&mut piece)];
            let received = recvmsg(stream, into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
            for message in control.drain() {
                if let RecvAncillaryMessage::ScmRights(sent) = message {
                    files.extend(sent);
                }
            }
            Ok(received.bytes)
        });
        let bytes = received.await?;
        if bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        text.extend_from_slice(&piece[..bytes]);
        if text.ends_with(b"\n") {
            text.pop();
            let text = String::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData)?;
            return Ok(Line { text, files });
        }
        if text.len() > LINE_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsFd as _;

    use super::*;

    #[tokio::test]
    async fn a_socket_arrives_with_its_line_and_still_listens() {
        let (here, there) = UnixStream::pair().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        send(&here, "sockets main", &[listener.as_fd()]).await.unwrap();
        drop(listener);
        let Line { text, mut files } = receive(&there).await.unwrap();
        assert_eq!(text, "sockets main");
        send(&here, &format!("a\n{}", "b".repeat(5_000)), &[]).await.unwrap();
        assert_eq!(receive(&there).await.unwrap().text.len(), 5_002, "a line is one line");
        let taken = TcpListener::from(files.pop().unwrap());
        assert_eq!((taken.local_addr().unwrap(), files.len()), (addr, 0));
        std::net::TcpStream::connect(addr).unwrap();
        taken.accept().unwrap();
    }

    #[tokio::test]
    async fn an_end_and_an_endless_line_are_errors() {
        let (here, there) = UnixStream::pair().unwrap();
        let sender = tokio::spawn(async move { send(&here, &"x".repeat(100_000), &[]).await });
        assert_eq!(receive(&there).await.err().unwrap().kind(), io::ErrorKind::InvalidData);
        drop(there);
        let _ = sender.await.unwrap();
        let (here, there) = UnixStream::pair().unwrap();
        drop(here);
        assert_eq!(receive(&there).await.err().unwrap().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_long_directory_has_a_short_path() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Place::of(dir.path()).unwrap().path, dir.path().join(FILE));
        let deep = dir.path().join("d".repeat(100)).join("e".repeat(100));
        std::fs::create_dir_all(&deep).unwrap();
        let place = Place::of(&deep).unwrap();
        let listening = std::os::unix::net::UnixListener::bind(&place.path).unwrap();
        assert!(deep.join(FILE).exists() && listening.local_addr().is_ok());
    }
}
