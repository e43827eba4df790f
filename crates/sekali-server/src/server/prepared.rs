//! A server that has everything but its store.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sekali_store::disk::Disk;
use sekali_wire::stats::Address;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::warn;

use super::bind::{MAIN, Open, bind, checks_host, port_of};
use super::handover::Offer;
use super::reload::Reload;
use super::timed_disk::TimedDisk;
use super::{
    Config, Internals, Resumption, Server, Sockets, StartError, Stop, announcement, directory, keys, open, run,
};
use crate::access::Access;
use crate::consumers::Consumers;
use crate::http::{Browsers, Door};
use crate::listen::{Certificates, ConnectionContext, Entrance, Listening, OpenLimits, Threads};
use crate::protocols::Port;
use crate::service::{CommitTimings, Service};

/// A server before its store is opened: everything is checked that can be, and it listens.
pub(super) struct Prepared {
    config: Config,
    internals: Internals,
    access: Access,
    certificates: Option<Certificates>,
    browsers: Browsers,
    sockets: Sockets,
    /// Those of the sockets, in their order.
    addrs: Vec<(Option<Port>, SocketAddr)>,
    /// Whether the sockets stay open when the server ends.
    is_supervised: bool,
}

impl Prepared {
    /// Checks the settings and listens.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(super) async fn new(config: Config, internals: Internals, open: Open) -> Result<Self, StartError> {
        let cors_origins = config.checked_cors_origins()?;
        let hosts = config.checked_hosts()?;
        let certificates = config.tls.clone().map(Certificates::load).transpose()?;
        let (dir, disk) = (config.data_dir.clone(), Arc::clone(&internals.disk));
        let load = move || {
            directory::check(&*disk, &dir)?;
            Access::load(&dir).map_err(|error| StartError::of_keys(&dir, error))
        };
        let access = tokio::task::spawn_blocking(load).await.map_err(StartError::other)??;
        let is_supervised = matches!(open, Open::Supervised(_));
        // Before the store is opened, which may take a while: a wrong address is told at once.
        let sockets = bind(&config, &access, open).await?;
        let addrs = sockets.iter().map(|(name, listener)| Ok((port_of(name), listener.local_addr()?)));
        let addrs = addrs.collect::<io::Result<Vec<_>>>().map_err(StartError::other)?;
        let browsers = Browsers { cors_origins, hosts };
        Ok(Self { config, internals, access, certificates, browsers, sockets, addrs, is_supervised })
    }

    /// Opens the store, making one if there is none, and serves.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(super) async fn open(self) -> Result<Server, StartError> {
        self.open_within(Duration::ZERO).await
    }

    /// The same, where another process lets go of the store within this time.
    ///
    /// # Errors
    /// See [`StartError`].
    pub(super) async fn open_within(self, patience: Duration) -> Result<Server, StartError> {
        let Self { config, internals, access, certificates, browsers, sockets, addrs, is_supervised } = self;
        let Internals { disk, timeouts, tuning } = internals.clone();
        let opened = config.clone();
        let timings = CommitTimings::new();
        let timed: Arc<dyn Disk> = Arc::new(TimedDisk::new(Arc::clone(&disk), timings.clone()));
        let open = move || {
            let deadline = Instant::now() + patience;
            let store = loop {
                match open(Arc::clone(&timed), tuning, &opened) {
                    // The other process is about to end.
                    Err(StartError::DataDirInUse(_)) if Instant::now() < deadline => sleep(patience / 1000),
                    outcome => break outcome?,
                }
            };
            Ok::<_, StartError>((store, Consumers::open(disk, &opened.data_dir)?))
        };
        let (store, consumers) = tokio::task::spawn_blocking(open).await.map_err(StartError::other)??;
        let started = Service::start_with(store, consumers, timings);
        let (service, committers, store_chores) = started.map_err(StartError::other)?;
        directory::spill(&config.data_dir);
        announcement::opened(&config.data_dir, &service, &config.retention);
        let (pipeline, tails) = (service.pipeline().clone(), service.tails().clone());
        let mut chores = JoinSet::new();
        store_chores.spawn_on(&mut chores, config.retention.clone());
        chores.spawn(keys::run(access.clone()));
        let door = Door::new(service, access.clone(), browsers, timeouts, named(&addrs));
        let threads = Threads::start().map_err(StartError::other)?;
        let context = ConnectionContext { door, timeouts, certificates: certificates.clone() };
        let limits = OpenLimits::raise();
        let kept = sockets.try_clone().map_err(StartError::other)?;
        let offer = offer(&config, &kept);
        let opened = sockets.into_all().into_iter().zip(&addrs);
        let entrances = opened.map(|((_, listener), (port, addr))| {
            let entrance = Entrance { port: *port, checks_host: checks_host(&config, addr) };
            Ok((TcpListener::from_std(listener)?, entrance))
        });
        let entrances = entrances.collect::<io::Result<Vec<_>>>().map_err(StartError::other)?;
        let listening = Listening::start(entrances, threads, context, limits);
        let (stop, stopping) = watch::channel(Stop::No);
        let ended = tokio::spawn(run(listening, pipeline, committers, tails, chores, stopping));
        let reload = Reload { access, certificates };
        let server = Server {
            addrs,
            is_tls: reload.certificates.is_some(),
            reload: Arc::new(Mutex::new(reload.clone())),
            stop,
            ended,
            offer,
            resumption: Resumption { config, internals, sockets: kept, is_supervised },
        };
        announcement::listening(&server, &reload.access, limits);
        Ok(server)
    }
}

/// The addresses, for `/stats`.
fn named(addrs: &[(Option<Port>, SocketAddr)]) -> Vec<Address> {
    let named = addrs.iter().map(|(port, addr)| (port.map_or(MAIN, Port::name), addr.to_string()));
    named.map(|(port, address)| Address { port: port.to_owned(), address }).collect()
}

/// Lets another process take over, if there can be a socket for that.
fn offer(config: &Config, sockets: &Sockets) -> Option<Offer> {
    match sockets.try_clone().and_then(|sockets| Offer::make(&config.data_dir, sockets)) {
        Ok(offer) => Some(offer),
        Err(error) => {
            warn!(%error, "no other process can take over: there is no socket for that in the data directory");
            None
        }
    }
}
