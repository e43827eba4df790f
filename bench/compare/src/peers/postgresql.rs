//! PostgreSQL: a cluster of its own. It refuses to run as root, so it then runs as another user.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use bytes::Bytes;
use futures_util::SinkExt as _;
use rustix::process::{Signal, geteuid};
use sekali::bench::{Body, Load, SOURCE, TIMESTAMP};
use tokio::runtime::Handle;
use tokio_postgres::{Client, Config, NoTls};

use crate::Outcome;
use crate::closed_loop::{self, Session};
use crate::peer::{About, Kind, Measured, Peer, Running};
use crate::place::Place;
use crate::process::{Process, bound, find, free_port, output};

/// The superuser of the cluster, independent of the system user.
const USER: &str = "compare";
/// The system user of the cluster if this process is root. The Debian package creates it.
const SYSTEM_USER: &str = "postgres";
/// Changes to the defaults that make it faster and not less safe.
const SETTINGS: [&str; 8] = [
    "fsync=on",
    "synchronous_commit=on",
    "shared_buffers=1GB",
    "max_wal_size=8GB",
    "wal_buffers=64MB",
    "checkpoint_timeout=15min",
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
];

pub(super) struct Postgresql;

impl Peer for Postgresql {
    fn about(&self) -> About {
        About {
            name: "postgresql",
            what: "PostgreSQL: COPY to a staging table, INSERT … ON CONFLICT DO NOTHING, a transaction a batch",
            acknowledgement: "the transaction is committed and the WAL synced to disk",
            is_durable: true,
            kind: Kind::Batches,
            shape: super::BATCHES,
        }
    }

    fn missing(&self, place: &Place) -> Option<String> {
        if program("postgres").is_none() || program("initdb").is_none() {
            return Some("PostgreSQL is not installed: Debian's package is postgresql".to_owned());
        }
        let user = other_user()?;
        let reach = output(bound(Path::new("test"), Some(user)).arg("-x").arg(&place.scratch));
        let scratch = place.scratch.display();
        reach
            .is_err()
            .then(|| format!("the user {user}, as whom PostgreSQL would run, is unknown or cannot reach {scratch}"))
    }

    fn start(&self, place: &Place) -> Outcome<Box<dyn Running>> {
        let user = other_user();
        let dir = place.data.join("cluster");
        std::fs::create_dir(&dir)?;
        if let Some(user) = user {
            output(Command::new("chown").arg(user).arg(&dir))?;
        }
        let program = |name| program(name).ok_or_else(|| format!("{name} is gone"));
        let mut initdb = bound(&program("initdb")?, user);
        output(
            initdb.current_dir(&dir).args(["--no-sync", "--auth", "trust", "--username", USER, "--pgdata"]).arg(&dir),
        )?;
        let port = free_port()?;
        let mut postgres = bound(&program("postgres")?, user);
        postgres.current_dir(&dir).arg("-D").arg(&dir).args(["-p", &port.to_string()]);
        postgres.args(SETTINGS.iter().flat_map(|setting| ["-c", *setting]));
        // SIGQUIT is an immediate shutdown of all its processes. Its data is no longer needed.
        let process = Process::start("postgresql", &mut postgres, &place.scratch)?.ending_with(Signal::QUIT);
        let mut cluster = Cluster { port, runtime: place.runtime(), process };
        cluster.create_table()?;
        Ok(Box::new(cluster))
    }
}

/// The system user of the cluster, if it is another one.
fn other_user() -> Option<&'static str> {
    geteuid().is_root().then_some(SYSTEM_USER)
}

/// A program of the newest installed version.
fn program(name: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut dirs: Vec<PathBuf> = versions.map(|entry| entry.path().join("bin")).collect();
    dirs.sort_unstable_by(|left, right| right.cmp(left));
    find(name, &dirs)
}

struct Cluster {
    port: u16,
    runtime: Handle,
    process: Process,
}

impl Cluster {
    fn create_table(&mut self) -> Outcome<()> {
        let client = self.process.wait_until(|| connect(self.port, &self.runtime))?;
        Ok(self.runtime.block_on(client.batch_execute(
            "CREATE TABLE events (
                topic text NOT NULL, event_id text NOT NULL, timestamp timestamptz NOT NULL, source text NOT NULL,
                payload json NOT NULL, PRIMARY KEY (topic, event_id))",
        ))?)
    }
}

impl Running for Cluster {
    fn version(&mut self) -> Outcome<String> {
        let client = connect(self.port, &self.runtime)?;
        let row = self.runtime.block_on(client.query_one("SHOW server_version", &[]))?;
        Ok(format!("PostgreSQL {}", row.try_get::<_, String>(0)?))
    }

    fn measure(&mut self, load: &Load) -> Outcome<Measured> {
        let open = |_| {
            let client = connect(self.port, &self.runtime)?;
            self.runtime
                .block_on(client.batch_execute(
                    "CREATE TEMP TABLE staging (LIKE events INCLUDING DEFAULTS) ON COMMIT DELETE ROWS",
                ))?;
            Ok(Writer { client, rows: String::new() })
        };
        let sessions = (0..load.connections).map(open).collect::<Outcome<Vec<_>>>()?;
        self.runtime.block_on(closed_loop::run(sessions, load))
    }

    fn held(&mut self) -> Outcome<Option<u64>> {
        let client = connect(self.port, &self.runtime)?;
        let row = self.runtime.block_on(client.query_one("SELECT count(*) FROM events", &[]))?;
        Ok(Some(u64::try_from(row.try_get::<_, i64>(0)?)?))
    }
}

fn connect(port: u16, runtime: &Handle) -> Outcome<Client> {
    runtime.block_on(async {
        let mut config = Config::new();
        config.host("127.0.0.1").port(port).user(USER).dbname("postgres");
        let (client, connection) = config.connect(NoTls).await?;
        // Its end is noticed by the next query.
        tokio::spawn(connection);
        Ok(client)
    })
}

struct Writer {
    client: Client,
    rows: String,
}

impl Session for Writer {
    async fn publish(&mut self, body: &Body) -> Outcome<()> {
        self.rows.clear();
        for event in body.events() {
            // Nothing in these events needs escaping in the text format of COPY.
            let (topic, id, payload) = (event.topic, event.event_id, event.payload);
            writeln!(self.rows, "{topic}\t{id}\t{TIMESTAMP}\t{SOURCE}\t{payload}")?;
        }
        self.client.batch_execute("BEGIN").await?;
        let copy = self.client.copy_in::<_, Bytes>("COPY staging FROM STDIN").await?;
        let mut copy = std::pin::pin!(copy);
        copy.send(Bytes::copy_from_slice(self.rows.as_bytes())).await?;
        copy.close().await?;
        let insert = "INSERT INTO events SELECT * FROM staging ON CONFLICT DO NOTHING; COMMIT";
        Ok(self.client.batch_execute(insert).await?)
    }
}
