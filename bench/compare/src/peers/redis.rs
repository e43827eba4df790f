//! Redis: one script for each request, which sets a key for each event and appends new events to
//! their topic's stream.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, InfoDict};
use sekali::bench::{Body, Load};
use tokio::runtime::Handle;

use crate::Outcome;
use crate::closed_loop::{self, Session};
use crate::peer::{About, Kind, Measured, Peer, Running};
use crate::place::Place;
use crate::process::{Process, bound, find, free_port};

/// Takes topic, id and JSON of each event. Returns the number of new ones.
const SCRIPT: &str = "
    local new = 0
    for i = 1, #ARGV, 3 do
        if redis.call('SET', 'id:' .. ARGV[i] .. ':' .. ARGV[i + 1], '1', 'NX') then
            redis.call('XADD', 'events:' .. ARGV[i], '*', 'event', ARGV[i + 2])
            new = new + 1
        end
    end
    return new";
/// Every write is synced before its response; no snapshots.
const SETTINGS: [&str; 8] = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no"];

pub(super) struct Redis;

impl Peer for Redis {
    fn about(&self) -> About {
        About {
            name: "redis",
            what: "Redis, appendfsync always: SET NX and XADD in one script a batch",
            acknowledgement: "the append-only file is synced to disk; everything must also fit in memory, and JSON is not validated",
            is_durable: true,
            kind: Kind::Batches,
            shape: super::BATCHES,
        }
    }

    fn missing(&self, _place: &Place) -> Option<String> {
        let absent = find("redis-server", &[]).is_none();
        absent.then(|| "Redis is not installed: Debian's package is redis-server".to_owned())
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let port = free_port()?;
        let program = find("redis-server", &[]).ok_or("redis-server is gone")?;
        let mut command = bound(&program, None);
        command.args(SETTINGS).args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"]).arg(&place.data);
        let mut process = Process::start("redis", &mut command, &place.scratch)?;
        process.wait_for_port(port)?;
        let client = Client::open(("127.0.0.1", port))?;
        Ok(Box::new(Server { client, runtime: place.runtime(), _process: process }))
    }
}

struct Server {
    client: Client,
    runtime: Handle,
    _process: Process,
}

impl Server {
    fn connect(&self) -> Outcome<MultiplexedConnection> {
        // On a busy machine a response can take longer than the client's default timeout.
        let config = AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
        Ok(self.runtime.block_on(self.client.get_multiplexed_async_connection_with_config(&config))?)
    }
}

impl Running for Server {
    fn version(&mut self) -> Outcome<String> {
        let mut connection = self.connect()?;
        let info: InfoDict = self.runtime.block_on(redis::cmd("INFO").arg("server").query_async(&mut connection))?;
        Ok(format!("Redis {}", info.get::<String>("redis_version").unwrap_or_default()))
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        let mut connection = self.connect()?;
        let load_script = async { redis::cmd("SCRIPT").arg("LOAD").arg(SCRIPT).query_async(&mut connection).await };
        let script: String = self.runtime.block_on(load_script)?;
        let session = |_| Ok(Writer { connection: self.connect()?, script: script.clone() });
        let sessions = (0..load.connections).map(session).collect::<Outcome<Vec<_>>>()?;
        self.runtime.block_on(closed_loop::run(sessions, load))
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        let mut connection = self.connect()?;
        self.runtime.block_on(async {
            let streams: Vec<String> = redis::cmd("KEYS").arg("events:*").query_async(&mut connection).await?;
            let mut held = 0;
            for stream in streams {
                held += redis::cmd("XLEN").arg(stream).query_async::<u64>(&mut connection).await?;
            }
            Ok(Some(held))
        })
    }
}

struct Writer {
    connection: MultiplexedConnection,
    script: String,
}

impl Session for Writer {
    async fn publish(&mut self, body: &Body) -> Outcome<()> {
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.script).arg(0);
        for event in body.events() {
            call.arg(event.topic).arg(event.event_id).arg(event.json);
        }
        call.query_async::<u64>(&mut self.connection).await?;
        Ok(())
    }
}
