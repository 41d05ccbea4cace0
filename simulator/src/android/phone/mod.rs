//! A simulated Android phone: gets a work profile or becomes the council's, obeys its policy, carries out commands, reports, and
//! goes its own way when its holder does.

mod commands;
mod comply;
mod enforce;
mod enrol;
mod holder;
mod live;
mod options;
mod passwords;
mod report;
mod state;
#[cfg(test)]
mod tests;
mod visit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tokio::sync::{Notify, watch};

use super::cloud::{Enrolled, GoogleCloud};

pub use live::Living;
pub use options::{AndroidOptions, Lock, LockKind};
pub use state::{AppliedPolicy, Because, Event, Happening, Mode, PhoneState};
pub use visit::Visited;

/// A phone; clones are the same phone. Its methods do what a phone or its holder does; [`AndroidPhone::sync`] is one visit to Google
/// for tests that go step by step, [`AndroidPhone::live`] lets it visit by itself.
#[derive(Clone)]
pub struct AndroidPhone {
    core: Arc<Core>,
}

pub(crate) struct Core {
    phone: Mutex<Phone>,
    changes: watch::Sender<u64>,
    wake: Arc<Notify>,
}

/// The phone itself, behind its lock.
pub(crate) struct Phone {
    options: AndroidOptions,
    state: PhoneState,
    cloud: Option<GoogleCloud>,
    enrolled: Option<Enrolled>,
    non_compliant_since: BTreeMap<String, i64>,
    password_reset: Option<i64>,
    left_lost_mode: Option<i64>,
    /// How far the phone's clock is ahead of Google's, milliseconds.
    ahead: i64,
    behaviours: Vec<Behaviour>,
    /// What it reported last.
    reported: Option<Map<String, Value>>,
}

/// What a test makes a phone do that phones do now and then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behaviour {
    /// Gets commands of this type (or `*`) and never says what became of them, as after a crash.
    ForgetCommand {
        /// The type.
        kind: String,
        /// How often.
        times: u32,
    },
    /// Fails commands of this type (or `*`) with this `errorCode`.
    FailCommand {
        /// The type.
        kind: String,
        /// The code.
        error_code: String,
        /// How often.
        times: u32,
    },
    /// Carries everything out and reports nothing.
    Silent {
        /// For how many visits.
        times: u32,
    },
}

impl AndroidPhone {
    /// A phone made so.
    pub fn new(options: AndroidOptions) -> Self {
        let state = PhoneState {
            name: options.name.clone(),
            online: true,
            device: None,
            mode: None,
            policy: None,
            applied_state: String::new(),
            non_compliance: Vec::new(),
            screen_lock: options.screen_lock,
            work_lock: options.work_lock,
            screen_locked: false,
            work_profile_locked: false,
            blocked: false,
            lost_mode: None,
            personal_data: !options.factory_state,
            work_data: false,
            factory_resets: 0,
            profiles_removed: 0,
            restarts: 0,
            work_apps: BTreeSet::new(),
            networks: Vec::new(),
            events: Vec::new(),
        };
        let phone = Phone {
            options,
            state,
            cloud: None,
            enrolled: None,
            non_compliant_since: BTreeMap::new(),
            password_reset: None,
            left_lost_mode: None,
            ahead: 0,
            behaviours: Vec::new(),
            reported: None,
        };
        let core = Core { phone: Mutex::new(phone), changes: watch::Sender::new(0), wake: Arc::new(Notify::new()) };
        Self { core: Arc::new(core) }
    }

    /// Somebody's own phone, in use.
    pub fn personal(name: &str) -> Self {
        Self::new(AndroidOptions::personal(name))
    }

    /// A phone of the council, in factory state.
    pub fn company(name: &str) -> Self {
        Self::new(AndroidOptions::company(name))
    }

    /// What it was made as, changes since included.
    pub fn options(&self) -> AndroidOptions {
        self.core.lock().options.clone()
    }

    /// Changes hardware, software or temper.
    pub fn change_options(&self, change: impl FnOnce(&mut AndroidOptions)) {
        self.core.change(|phone| change(&mut phone.options));
        self.core.wake.notify_one();
    }

    /// How it is now.
    pub fn snapshot(&self) -> PhoneState {
        self.core.lock().state.clone()
    }

    /// The name of the device it is at Google, while it is managed.
    pub fn device(&self) -> Option<String> {
        self.core.lock().state.device.clone()
    }

    /// Makes it misbehave.
    pub fn behave(&self, behaviour: Behaviour) {
        self.core.lock().behaviours.push(behaviour);
    }

    /// Makes it behave again.
    pub fn behave_well(&self) {
        self.core.lock().behaviours.clear();
    }

    /// Waits until it is as wished; `None` when that takes longer.
    pub async fn wait_until(&self, timeout: Duration, wish: impl Fn(&PhoneState) -> bool) -> Option<PhoneState> {
        let mut changes = self.core.changes.subscribe();
        let waiting = async {
            loop {
                {
                    let phone = self.core.lock();
                    if wish(&phone.state) {
                        return phone.state.clone();
                    }
                }
                if changes.changed().await.is_err() {
                    return self.snapshot();
                }
            }
        };
        tokio::time::timeout(timeout, waiting).await.ok()
    }
}

impl std::fmt::Debug for AndroidPhone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let phone = self.core.lock();
        write!(formatter, "AndroidPhone({}, {:?})", phone.state.name, phone.state.device)
    }
}

impl Core {
    /// A panic elsewhere must not hide what the phone went through.
    fn lock(&self) -> MutexGuard<'_, Phone> {
        self.phone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Phone) -> T) -> T {
        let result = change(&mut self.lock());
        self.changes.send_modify(|count| *count += 1);
        result
    }
}

impl Phone {
    /// The phone's time, milliseconds since 1970.
    fn now(&self) -> i64 {
        let google = self.cloud.as_ref().map_or_else(
            || {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            },
            GoogleCloud::world_time,
        );
        google.saturating_add(self.ahead)
    }

    fn happened(&mut self, what: Happening) {
        let at = self.now();
        self.state.events.push(Event { at, what });
    }

    /// How it treats a command, when not as it should: fails it with a code, or forgets it.
    fn misbehaves(&mut self, kind: &str) -> Option<Option<String>> {
        let meant = |of: &str| of == "*" || of == kind;
        for behaviour in &mut self.behaviours {
            match behaviour {
                Behaviour::ForgetCommand { kind, times } if *times > 0 && meant(kind) => {
                    *times -= 1;
                    return Some(None);
                }
                Behaviour::FailCommand { kind, error_code, times } if *times > 0 && meant(kind) => {
                    *times -= 1;
                    return Some(Some(error_code.clone()));
                }
                _ => {}
            }
        }
        None
    }

    fn silent(&mut self) -> bool {
        for behaviour in &mut self.behaviours {
            if let Behaviour::Silent { times } = behaviour
                && *times > 0
            {
                *times -= 1;
                return true;
            }
        }
        false
    }

    /// The council's data goes, with everything else on a council's phone; the phone forgets that it was managed.
    fn wipe(&mut self, because: Because) {
        let company = self.state.mode.is_some_and(Mode::company_owned);
        let whole = match &because {
            Because::Relinquished(_) => false,
            Because::Holder => true,
            _ => company,
        };
        self.destroy(whole, because);
    }

    fn destroy(&mut self, whole: bool, because: Because) {
        self.forget();
        if whole {
            self.state.factory_resets += 1;
            self.state.personal_data = false;
            self.state.screen_lock = Lock::NONE;
            self.options.factory_state = true;
        } else {
            self.state.profiles_removed += 1;
            self.options.factory_state = false;
        }
        self.happened(Happening::Wiped { whole_phone: whole, because });
    }

    fn forget(&mut self) {
        self.enrolled = None;
        self.non_compliant_since.clear();
        self.password_reset = None;
        self.left_lost_mode = None;
        self.reported = None;
        let state = &mut self.state;
        (state.device, state.mode, state.policy, state.lost_mode) = (None, None, None, None);
        state.applied_state.clear();
        state.non_compliance.clear();
        state.work_lock = None;
        state.work_apps.clear();
        state.networks.clear();
        (state.blocked, state.work_profile_locked, state.work_data, state.screen_locked) = (false, false, false, false);
    }
}
