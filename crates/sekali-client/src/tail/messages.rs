//! Server-Sent Events from the pieces of an answer (HTML standard, 9.2.6).

/// Longest message: an event of the largest size, with every byte of its texts escaped.
const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A message.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) event: Option<String>,
    pub(super) id: Option<String>,
    pub(super) data: Option<String>,
}

/// Takes pieces, which may end anywhere, and returns messages.
#[derive(Debug, Default)]
pub(super) struct Messages {
    text: Vec<u8>,
    /// Bytes of `text` that were read.
    read: usize,
    /// Bytes of `text`, from `read` on, in which no line ends.
    searched: usize,
    unfinished: Message,
    length: usize,
}

impl Messages {
    /// Adds a piece.
    pub(super) fn add(&mut self, piece: &[u8]) {
        self.text.drain(..self.read);
        self.read = 0;
        self.text.extend_from_slice(piece);
    }

    /// Whether a message is longer than it may be.
    pub(super) fn is_too_long(&self) -> bool {
        self.length + self.text.len() - self.read > MESSAGE_BYTES_MAX
    }

    fn line(&mut self) -> Option<String> {
        let rest = self.text.get(self.read..)?;
        let Some(end) = rest.iter().skip(self.searched).position(|byte| *byte == b'\n') else {
            self.searched = rest.len();
            return None;
        };
        let (line, _) = rest.split_at_checked(self.searched + end)?;
        let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
        (self.read, self.searched) = (self.read + line.len() + 1, 0);
        self.length += text.len();
        Some(text)
    }
}

impl Iterator for Messages {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        loop {
            let line = self.line()?;
            if line.is_empty() {
                self.length = 0;
                let message = std::mem::take(&mut self.unfinished);
                if message != Message::default() {
                    return Some(message);
                }
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            let message = &mut self.unfinished;
            match name {
                "event" => message.event = Some(value.to_owned()),
                "id" => message.id = Some(value.to_owned()),
                "data" => match &mut message.data {
                    Some(data) => data.extend(["\n", value]),
                    data => *data = Some(value.to_owned()),
                },
                // A comment, or something of a later version.
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = ":\nid: c0\n\n: é\r\n\r\nid: c1\ndata: {\"a\":\"é\"}\n\ndata:x\ndata: y\nretry: 5\n\nevent: behind\nid: c2\ndata: {}\n\nid: c3\ndata: not whole";

    fn read(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Message> {
        let mut messages = Messages::default();
        let mut found = Vec::new();
        for piece in pieces {
            messages.add(&piece);
            found.extend(messages.by_ref());
        }
        found
    }

    #[test]
    fn messages_are_the_same_however_they_are_cut() {
        let text = |text: &str| Some(text.to_owned());
        let expected = [
            Message { id: text("c0"), ..Message::default() },
            Message { id: text("c1"), data: text("{\"a\":\"é\"}"), event: None },
            Message { data: text("x\ny"), ..Message::default() },
            Message { id: text("c2"), data: text("{}"), event: text("behind") },
        ];
        for size in 1..TEXT.len() {
            assert_eq!(read(TEXT.as_bytes().chunks(size).map(<[u8]>::to_vec)), expected, "pieces of {size}");
        }
    }

    #[test]
    fn a_message_without_an_end_is_noticed() {
        let mut messages = Messages::default();
        for _ in 0..MESSAGE_BYTES_MAX / 1024 {
            messages.add(&[b'x'; 1024]);
            assert!(messages.next().is_none() && !messages.is_too_long());
        }
        messages.add(b"x");
        assert!(messages.next().is_none() && messages.is_too_long());
        let mut messages = Messages::default();
        for _ in 0..=MESSAGE_BYTES_MAX / 1024 {
            messages.add(format!("data: {}\n", "x".repeat(1024)).as_bytes());
            assert!(messages.next().is_none());
        }
        assert!(messages.is_too_long());
    }
}
