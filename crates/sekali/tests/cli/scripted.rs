//! A server that responds as the test scripts it, and records its requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

/// A request that it received.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    /// `POST /publish?invalid=skip`
    pub(crate) line: String,
    pub(crate) body: String,
}

/// A scripted response.
pub(crate) enum Reply {
    Json(u16, Value),
    /// Status, headers, body.
    Full(u16, Vec<(&'static str, String)>, String),
    /// Close the connection in the middle of the response.
    Break,
}

impl Reply {
    /// 202 for a body of new events only.
    pub(crate) fn all_stored(body: &str) -> Self {
        let events = serde_json::from_str::<Vec<Value>>(body).unwrap().len();
        Self::Json(202, json!({"message": "ok", "received": events, "stored": events, "duplicates": 0, "conflicts": 0}))
    }
}

type Script = dyn Fn(usize, &Asked) -> Reply + Send + Sync;

/// The server. Its thread ends with the test process.
pub(crate) struct Scripted {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Responds with `script` of the request's number (from 0) and the request. Requests for
    /// readiness are not counted, and get 200.
    pub(crate) fn start(script: impl Fn(usize, &Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (script, memory): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, memory) = (Arc::clone(&script), Arc::clone(&memory));
                std::thread::spawn(move || serve(&stream.unwrap(), &*script, &memory));
            }
        });
        Self { url, asked }
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, script: &Script, memory: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read_request(&mut reader) {
        let reply = if asked.line == "GET /readyz" {
            Reply::Json(200, json!({"status": "ready"}))
        } else {
            let number = {
                let mut memory = memory.lock().unwrap();
                memory.push(asked.clone());
                memory.len() - 1
            };
            script(number, &asked)
        };
        let (status, headers, body) = match reply {
            Reply::Json(status, value) => (status, Vec::new(), value.to_string()),
            Reply::Full(status, headers, body) => (status, headers, body),
            Reply::Break => {
                let _ = (&*stream).write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 1000\r\n\r\n{");
                return;
            }
        };
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len());
        if (&*stream).write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Asked> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|&length| length > 0)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        match header.trim_end().to_ascii_lowercase().split_once(": ") {
            None => break,
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let line = first.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked { at: Instant::now(), line, body: String::from_utf8(body).unwrap() })
}
