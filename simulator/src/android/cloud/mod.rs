//! A stand-in for Google: strict about what a server sends, obedient about what a test wants to go wrong.
//!
//! Two addresses on loopback, plain HTTP: one for tokens and the Android Management API, one for Pub/Sub. Phones hang on it inside
//! the process, since what Google and a phone say to each other is nothing a server sees.

mod calls;
mod crowd;
mod devices;
mod enrolment_tokens;
mod enterprises;
mod faults;
mod http;
mod log;
mod look;
mod operations;
mod phones;
mod policies;
mod pubsub;
mod refusal;
mod route;
mod state;
#[cfg(test)]
pub(crate) mod tests;
mod time;
mod token;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::{Clock, Error, Result};

pub use self::http::{Reply, Request, pairs, serve};
pub use faults::{Fault, RandomFaults, Times};
pub use log::{CallRecord, Judgement};
pub use pubsub::{PubSubBehaviour, PubSubCounts};

pub(crate) use enrolment_tokens::{ADMIN_COMPONENT, EXTRA_TOKEN, EXTRAS};
pub(crate) use phones::{Asking, Ended, Enrolled, Orders, Visit, Way};
pub(crate) use time::written;

use calls::Service;
use state::{Moment, Settings, State};

/// A running Google on loopback; clones share it, and it stops when the last one is dropped.
#[derive(Clone)]
pub struct GoogleCloud {
    inner: Arc<Inner>,
    listeners: Arc<Listeners>,
}

struct Listeners(Vec<JoinHandle<()>>);

impl Drop for Listeners {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

pub(crate) struct Inner {
    clock: Clock,
    api: SocketAddr,
    pubsub: SocketAddr,
    project: String,
    key_file: String,
    state: Mutex<State>,
}

/// Where a [`GoogleCloud`] stands and how it reads the time.
#[derive(Debug, Clone)]
pub struct CloudOptions {
    /// The clock of tokens, quota and Pub/Sub; enterprises, devices and commands are ahead of it by
    /// [`GoogleCloud::move_clock`].
    pub clock: Clock,
    /// Where tokens and the Android Management API are served.
    pub api: SocketAddr,
    /// Where Pub/Sub is served.
    pub pubsub: SocketAddr,
    /// The id of the Google Cloud project that the key file belongs to.
    pub project: String,
}

impl Default for CloudOptions {
    fn default() -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { clock: Clock::system(), api: anywhere, pubsub: anywhere, project: "beadle-stand-in".into() }
    }
}

impl GoogleCloud {
    /// Starts on free ports of 127.0.0.1. Needs a running tokio.
    ///
    /// # Errors
    /// [`Error::Io`] when no port can be had, [`Error::Cryptography`] when no key can be made.
    pub async fn start() -> Result<Self> {
        Self::start_with(CloudOptions::default()).await
    }

    /// Starts with a given clock, project and addresses.
    ///
    /// # Errors
    /// As [`GoogleCloud::start`].
    pub async fn start_with(options: CloudOptions) -> Result<Self> {
        let (api, pubsub) = (TcpListener::bind(options.api).await?, TcpListener::bind(options.pubsub).await?);
        let token_uri = format!("http://{}/token", api.local_addr()?);
        let (account, key_file) = token::account(&options.project, &token_uri)?;
        let inner = Arc::new(Inner {
            clock: options.clock,
            api: api.local_addr()?,
            pubsub: pubsub.local_addr()?,
            project: options.project,
            key_file,
            state: Mutex::new(State {
                token_uri,
                token_lifetime: 3_600_000,
                accounts: vec![account],
                grants: HashMap::new(),
                sign_ups: Default::default(),
                enterprises: Default::default(),
                pubsub: Default::default(),
                behaviour: PubSubBehaviour::default(),
                settings: Settings {
                    quota: 1000,
                    quota_window: 100_000,
                    not_found_as_500: 0,
                    device_limit: None,
                    pull_wait: Duration::from_secs(1),
                    notify_unfinished: false,
                    operations_vanish: false,
                },
                queries: HashMap::new(),
                faults: Default::default(),
                log: Vec::new(),
                calls: 0,
                violations: Vec::new(),
                judgement: Judgement::default(),
                ahead: 0,
                not_found: 0,
            }),
        });
        let tasks = [(Service::Api, api), (Service::PubSub, pubsub)].map(|(service, listener)| {
            let inner = Arc::clone(&inner);
            let handler = move |request| calls::answer(Arc::clone(&inner), service, request);
            tokio::spawn(self::http::serve(listener, Arc::new(handler)))
        });
        Ok(Self { inner, listeners: Arc::new(Listeners(tasks.into())) })
    }

    /// The base address for the server's `google.api_url` setting.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.inner.api)
    }

    /// The base address for the server's `google.pubsub_url` setting.
    pub fn pubsub_url(&self) -> String {
        format!("http://{}", self.inner.pubsub)
    }

    /// The text of the service account's key file, as Google's console gives it.
    pub fn service_account_key(&self) -> String {
        self.inner.key_file.clone()
    }

    /// The id of the project that the key file belongs to.
    pub fn project(&self) -> &str {
        &self.inner.project
    }

    /// Another project with a service account of its own: the text of its key file.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when no key can be made.
    pub fn another_project(&self, project: &str) -> Result<String> {
        let token_uri = self.inner.state().token_uri.clone();
        let (account, key_file) = token::account(project, &token_uri)?;
        self.inner.state().accounts.push(account);
        Ok(key_file)
    }

    /// Revokes every key of a project: no new tokens, and those given before end at once.
    pub fn revoke_keys(&self, project: &str) {
        let mut state = self.inner.state();
        state
            .accounts
            .iter_mut()
            .filter(|account| account.project == project)
            .for_each(|account| account.revoked = true);
        state.grants.retain(|_, grant| grant.project != project);
    }

    /// Plays the admin in Google's sign-up page: gives the address Google sends the browser back to, `enterpriseToken` included.
    ///
    /// # Errors
    /// [`Error::State`] when no sign-up with this address is open.
    pub fn console_completes_sign_up(&self, url: &str, organisation: &str) -> Result<String> {
        let secret = format!("EAL{}", random_hex(20)?);
        let callback = self.inner.state().complete_sign_up(url, organisation, secret);
        callback.ok_or(Error::State("there is no such sign-up, or it was completed before"))
    }

    /// Makes something go wrong from now on. `calls` is a call's name as in [`CallRecord::call`], the beginning of names followed by
    /// `*`, `*` for every call, or a part of the path that begins with `/`.
    pub fn set_fault(&self, calls: &str, fault: Fault, times: Times) {
        self.inner.state().faults.add(calls, fault, times);
    }

    /// Lets things go wrong at random from now on, or no more.
    pub fn set_random_faults(&self, random: Option<RandomFaults>) {
        self.inner.state().faults.set_random(random);
    }

    /// Lets everything go right again.
    pub fn clear_faults(&self) {
        self.inner.state().faults.clear();
    }

    /// How many queries a project may make in how long; 1000 in 100 s to begin with.
    pub fn set_quota(&self, queries: usize, window: Duration) {
        let settings = &mut self.inner.state().settings;
        settings.quota = queries;
        settings.quota_window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
    }

    /// How long access tokens given from now on live; an hour to begin with.
    pub fn set_token_lifetime(&self, lifetime: Duration) {
        self.inner.state().token_lifetime = i64::try_from(lifetime.as_millis()).unwrap_or(i64::MAX);
    }

    /// Ends every access token given so far.
    pub fn expire_tokens(&self) {
        self.inner.state().grants.clear();
    }

    /// Every so many answers "Requested entity was not found." come as 500; 0 for none.
    pub fn set_not_found_as_500(&self, every: u32) {
        self.inner.state().settings.not_found_as_500 = every;
    }

    /// How many devices the projects may have together; a new project at Google has 0 until Google approves it.
    pub fn set_device_limit(&self, limit: Option<usize>) {
        self.inner.state().settings.device_limit = limit;
    }

    /// How messages come.
    pub fn set_pubsub_behaviour(&self, behaviour: PubSubBehaviour) {
        self.inner.state().behaviour = behaviour;
    }

    /// How long a pull waits for a first message; a second to begin with.
    pub fn set_pull_wait(&self, wait: Duration) {
        self.inner.state().settings.pull_wait = wait;
    }

    /// Whether a cancelled or expired command is told by a COMMAND event; Google promises one only for completed commands, so none
    /// comes to begin with.
    pub fn set_notify_unfinished(&self, notify: bool) {
        self.inner.state().settings.notify_unfinished = notify;
    }

    /// Whether operations are gone with their device; they stay to begin with.
    pub fn set_operations_vanish(&self, vanish: bool) {
        self.inner.state().settings.operations_vanish = vanish;
    }

    /// Moves the clock of enterprises, devices and commands ahead; tokens, quota and Pub/Sub are not moved. Phones that live by
    /// themselves notice at once.
    pub fn move_clock(&self, ahead: Duration) {
        let mut state = self.inner.state();
        state.ahead = state.ahead.saturating_add(i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX));
        let devices = state.enterprises.values().flat_map(|enterprise| enterprise.devices.values());
        devices.for_each(|device| device.phone.wake.notify_one());
    }

    /// Stops at once: open connections are dropped.
    pub fn stop(&self) {
        for task in &self.listeners.0 {
            task.abort();
        }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State, Moment) -> T) -> T {
        let mut state = self.inner.state();
        let moment = self.inner.at(&state);
        act(&mut state, moment)
    }
}

impl std::fmt::Debug for GoogleCloud {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "GoogleCloud({})", self.api_url())
    }
}

impl Inner {
    /// A panic elsewhere must not hide what was logged.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn moment(&self) -> Moment {
        let state = self.state();
        self.at(&state)
    }

    fn at(&self, state: &State) -> Moment {
        let since = self.clock.now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        Moment { now, world: now.saturating_add(state.ahead) }
    }
}

/// Random octets as hexadecimal digits.
pub(crate) fn random_hex(octets: usize) -> Result<String> {
    let mut random = vec![0; octets];
    openssl::rand::rand_bytes(&mut random)?;
    Ok(hex::encode(random))
}
