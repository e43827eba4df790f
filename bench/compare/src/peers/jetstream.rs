//! NATS JetStream, with its own deduplication by `Nats-Msg-Id`.
//!
//! Its atomic batches cannot be used: one repeat makes the whole batch fail. Its fast batches
//! accept repeats and drop them.

use std::fs;
use std::time::Duration;

use async_nats::Client;
use async_nats::header::{HeaderMap, NATS_MESSAGE_ID};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::message::{OutboundMessage, PublishMessage};
use async_nats::jetstream::{self, Context};
use bytes::Bytes;
use jetstream_extra::batch_publish_fast::FastPublishExt as _;
use sekali::bench::{Body, EventText, Load};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::Outcome;
use crate::closed_loop::{self, Session};
use crate::peer::{About, Kind, Measured, Peer, Running, Shape};
use crate::place::Place;
use crate::process::{Process, bound, free_port};

const STREAM: &str = "events";
/// The time for which ids are remembered: longer than any run. The default is two minutes.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(3_600);

/// The longest wait for a response. On a busy disk, hundreds of messages that are synced one by one
/// take seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Both ways of syncing with both ways of publishing.
pub(super) fn variants() -> Vec<Box<dyn Peer>> {
    let messages = Shape { connections: 8, batch_size: 500 };
    let batches = Shape { connections: 2, batch_size: 1_000 };
    // Every message is synced by itself, so more requests in flight only wait longer.
    let few = Shape { connections: 8, batch_size: 50 };
    let few_batches = Shape { connections: 4, batch_size: 500 };
    vec![
        variant("jetstream", "NATS JetStream: messages that do not wait for each other", UNSYNCED, messages),
        variant("jetstream-batch", "NATS JetStream: fast batches", UNSYNCED_BATCHES, batches),
        variant(
            "jetstream-synced",
            "NATS JetStream with sync_interval: always: messages that do not wait for each other",
            SYNCED,
            few,
        ),
        variant(
            "jetstream-batch-synced",
            "NATS JetStream with sync_interval: always: fast batches",
            SYNCED_BATCHES,
            few_batches,
        ),
    ]
}

/// JetStream, used in one way.
struct Jetstream {
    about: About,
    way: Way,
}

/// The time of the sync, and the way of publishing.
#[derive(Clone, Copy)]
struct Way {
    is_synced: bool,
    is_batched: bool,
}

const UNSYNCED: Way = Way { is_synced: false, is_batched: false };
const UNSYNCED_BATCHES: Way = Way { is_synced: false, is_batched: true };
const SYNCED: Way = Way { is_synced: true, is_batched: false };
const SYNCED_BATCHES: Way = Way { is_synced: true, is_batched: true };

fn variant(name: &'static str, what: &'static str, way: Way, shape: Shape) -> Box<dyn Peer> {
    let acknowledgement = if way.is_synced {
        "the message is deduplicated against those of the last hour, and synced to disk"
    } else {
        "the message is deduplicated against those of the last hour, and written to a file that is synced every two minutes"
    };
    let about = About { name, what, acknowledgement, is_durable: way.is_synced, kind: Kind::Batches, shape };
    Box::new(Jetstream { about, way })
}

impl Peer for Jetstream {
    fn about(&self) -> About {
        self.about.clone()
    }

    fn missing(&self, place: &Place) -> Option<String> {
        let absent = !place.python_program("nats-server").is_file();
        absent.then(|| "nats-server is not installed: bench/compare/setup does that".to_owned())
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let port = free_port()?;
        let sync = if self.way.is_synced { "sync_interval: always\n" } else { "" };
        let store = place.data.join("jetstream");
        let config = place.data.join("nats.conf");
        fs::write(&config, format!("listen: 127.0.0.1:{port}\njetstream {{\nstore_dir: {}\n{sync}}}\n", json!(store)))?;
        let mut command = bound(&place.python_program("nats-server"), None);
        command.arg("--config").arg(&config);
        let process = Process::start("nats-server", &mut command, &place.scratch)?;
        let mut server = Server { port, runtime: place.runtime(), is_batched: self.way.is_batched, process };
        server.create_stream()?;
        Ok(Box::new(server))
    }
}

struct Server {
    port: u16,
    runtime: Handle,
    is_batched: bool,
    process: Process,
}

impl Server {
    fn connect(&self) -> Outcome<Client> {
        Ok(self.runtime.block_on(async_nats::connect(format!("127.0.0.1:{}", self.port)))?)
    }

    /// By hand, because the client's own type does not support fast batches yet.
    fn create_stream(&mut self) -> Outcome<()> {
        self.process.wait_for_port(self.port)?;
        let client = self.connect()?;
        let config = json!({
            "name": STREAM, "subjects": [format!("{STREAM}.>")], "storage": "file", "num_replicas": 1,
            "retention": "limits", "discard": "old", "allow_batched": self.is_batched,
            "duplicate_window": DUPLICATE_WINDOW.as_nanos(),
        });
        let request = client.request(format!("$JS.API.STREAM.CREATE.{STREAM}"), config.to_string().into());
        let answer: Value = serde_json::from_slice(&self.runtime.block_on(request)?.payload)?;
        match answer.get("error") {
            Some(error) => Err(format!("cannot create the stream: {error}").into()),
            None => Ok(()),
        }
    }

    fn sessions(&self, load: &Load) -> Outcome<Vec<Context>> {
        let context = |client| {
            ContextBuilder::new()
                .timeout(PATIENCE)
                .max_ack_inflight(load.batch_size)
                .backpressure_on_inflight(true)
                .build(client)
        };
        (0..load.connections).map(|_| Ok(context(self.connect()?))).collect()
    }
}

impl Running for Server {
    fn version(&mut self) -> Outcome<String> {
        Ok(format!("nats-server {}", self.connect()?.server_info().version))
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        let contexts = self.sessions(load)?.into_iter();
        if self.is_batched {
            self.runtime.block_on(closed_loop::run(contexts.map(Batches).collect(), load))
        } else {
            self.runtime.block_on(closed_loop::run(contexts.map(Messages).collect(), load))
        }
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        let context = jetstream::new(self.connect()?);
        Ok(Some(self.runtime.block_on(context.get_stream(STREAM))?.cached_info().state.messages))
    }
}

/// Publishes every event by itself, and then waits for all responses.
struct Messages(Context);

impl Session for Messages {
    async fn publish(&mut self, body: &Body) -> Outcome<()> {
        let mut answers = Vec::new();
        for (event, json) in events(body) {
            let message = PublishMessage::build().message_id(message_id(&event)).payload(json);
            answers.push(self.0.send_publish(subject(&event), message).await?);
        }
        for answer in answers {
            answer.await?;
        }
        Ok(())
    }
}

/// Publishes a fast batch, whose last response acknowledges all of it.
struct Batches(Context);

impl Session for Batches {
    async fn publish(&mut self, body: &Body) -> Outcome<()> {
        let mut batch = self.0.fast_publish().flow(500).max_outstanding_acks(3).build()?;
        for (event, json) in events(body) {
            let mut headers = HeaderMap::new();
            headers.insert(NATS_MESSAGE_ID, message_id(&event).as_str());
            batch.add_message(OutboundMessage::new(subject(&event).into(), json, Some(headers))).await?;
        }
        batch.close().await?;
        Ok(())
    }
}

/// The events of a request, and the message of each.
fn events(body: &Body) -> impl Iterator<Item = (EventText<'_>, Bytes)> {
    body.events().map(|event| (event, Bytes::copy_from_slice(event.json.as_bytes())))
}

fn subject(event: &EventText<'_>) -> String {
    format!("{STREAM}.{}", event.topic)
}

/// Ids are unique in a stream, so they include the topic.
fn message_id(event: &EventText<'_>) -> String {
    format!("{}:{}", event.topic, event.event_id)
}
