//! What a phone has become, as a test may look at it at any moment, also while the phone listens.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plist::Value;
use tokio::sync::watch;

/// A moment in a phone's life.
#[derive(Debug, Clone, Default)]
pub struct PhoneState {
    /// Under management now.
    pub enrolled: bool,
    /// The set-up assistant waits for DeviceConfigured.
    pub awaiting_configuration: bool,
    /// Why management ended, when it did and the phone was not wiped.
    pub unenrolled_because: Option<String>,
    /// Everything on it is gone.
    pub wiped: bool,
    /// The screen was locked by DeviceLock and not opened since.
    pub locked: bool,
    /// What DeviceLock asked to show.
    pub lock_message: Option<String>,
    /// Lost Mode, when on.
    pub lost_mode: Option<LostMode>,
    /// How often the Lost Mode sound was played.
    pub sounds_played: u32,
    /// How often the phone restarted on command.
    pub restarts: u32,
    /// A passcode is set.
    pub passcode_present: bool,
    /// Installed configuration profiles, the enrolment profile among them.
    pub profiles: Vec<InstalledProfile>,
    /// Every command received, in order, repeats included.
    pub commands: Vec<SeenCommand>,
    /// Every HTTP exchange, in order.
    pub http: Vec<Exchange>,
    /// What Apple's schema does not allow in what the server sent.
    pub violations: Vec<String>,
    /// SHA-256 fingerprints of every identity certificate the phone was given, oldest first.
    pub identities: Vec<String>,
}

impl PhoneState {
    /// Whether a profile with this identifier is installed.
    pub fn has_profile(&self, identifier: &str) -> bool {
        self.profiles.iter().any(|profile| profile.identifier == identifier)
    }

    /// The commands of one request type, in order.
    pub fn commands_of(&self, request_type: &str) -> Vec<&SeenCommand> {
        self.commands.iter().filter(|command| command.request_type == request_type).collect()
    }
}

/// What the screen of a phone in Lost Mode says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LostMode {
    /// The message.
    pub message: Option<String>,
    /// The number to call.
    pub phone_number: Option<String>,
    /// The footnote.
    pub footnote: Option<String>,
}

/// An installed configuration profile.
#[derive(Debug, Clone)]
pub struct InstalledProfile {
    /// `PayloadIdentifier`.
    pub identifier: String,
    /// `PayloadUUID`.
    pub uuid: String,
    /// Came by InstallProfile rather than by hand.
    pub managed: bool,
    /// The whole profile.
    pub document: Value,
}

/// A command the phone was given.
#[derive(Debug, Clone)]
pub struct SeenCommand {
    /// `CommandUUID`.
    pub uuid: String,
    /// `RequestType`.
    pub request_type: String,
    /// The `Command` dictionary.
    pub command: Value,
    /// The status the phone answered; `None` when it never did.
    pub status: Option<String>,
    /// When it came, seconds since 1970.
    pub at: i64,
}

/// One HTTP exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The method.
    pub method: &'static str,
    /// The address, without query.
    pub url: String,
    /// The status; `None` when the connection failed or was dropped.
    pub status: Option<u16>,
}

/// The state behind a lock, and a bell for those who wait for it to change.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<PhoneState>,
    changes: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(state: PhoneState) -> Self {
        Self { state: Mutex::new(state), changes: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, PhoneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn snapshot(&self) -> PhoneState {
        self.lock().clone()
    }

    pub(crate) fn read<T>(&self, look: impl FnOnce(&PhoneState) -> T) -> T {
        look(&self.lock())
    }

    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut PhoneState) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
        result
    }

    /// Waits until the state is as wished; `None` after the time is up.
    pub(crate) async fn wait(&self, timeout: Duration, wish: impl Fn(&PhoneState) -> bool) -> Option<PhoneState> {
        let mut changes = self.changes.subscribe();
        let waiting = async {
            loop {
                if self.read(&wish) {
                    return self.snapshot();
                }
                if changes.changed().await.is_err() {
                    return self.snapshot();
                }
            }
        };
        tokio::time::timeout(timeout, waiting).await.ok()
    }
}
