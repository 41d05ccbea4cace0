//! A simulated iPhone or iPad: enrols, checks in, carries out commands, and misbehaves on request, as real ones do.

mod answers;
mod behaviour;
mod channel;
mod check_in;
mod enrol;
mod install;
mod listen;
mod options;
pub mod page;
mod poll;
pub mod profile;
mod queries;
mod saved;
mod state;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::Arc;

use plist::Dictionary;

use super::keys::Identity;
use super::push_service::Registration;
use crate::Result;

pub use behaviour::{Behaviour, ErrorItem, Message, NEVER_NOT_NOW};
pub use channel::Channel;
pub use enrol::{LandingPage, ScepAttempt, SentScep};
pub use listen::PhoneHandle;
pub use options::PhoneOptions;
pub use poll::{PollEnd, PollOutcome};
pub use profile::{EnrolmentProfile, Management};
pub use saved::SavedPhone;
pub use state::{Exchange, InstalledProfile, LostMode, PhoneState, SeenCommand};
pub use transport::Reply;

use behaviour::Behaviours;
use state::Shared;
use transport::Transport;

/// A phone. Its methods do what a phone does on its own; the lower-level ones let a test do what no honest phone would.
pub struct Phone {
    options: PhoneOptions,
    http: Transport,
    shared: Arc<Shared>,
    behaviours: Behaviours,
    management: Option<Management>,
    identity: Option<Identity>,
    registration: Option<Registration>,
    push_magic: String,
    unlock_token: Vec<u8>,
    unlock_token_sent: bool,
    passcode_length: Option<u8>,
    /// An answer that did not reach the server, sent again before anything else.
    undelivered: Option<Dictionary>,
    last_scep: Option<SentScep>,
}

impl Phone {
    /// A phone fresh from its box.
    ///
    /// # Errors
    /// [`crate::Error::Http`] when the root certificate cannot be read.
    pub fn new(options: PhoneOptions) -> Result<Self> {
        let state = PhoneState {
            passcode_present: options.passcode_length.is_some(),
            awaiting_configuration: options.awaiting_configuration,
            ..PhoneState::default()
        };
        let shared = Arc::new(Shared::new(state));
        Ok(Self {
            http: Transport::new(&options, Arc::clone(&shared))?,
            shared,
            behaviours: Behaviours::default(),
            management: None,
            identity: None,
            registration: None,
            push_magic: String::new(),
            unlock_token: Vec::new(),
            unlock_token_sent: false,
            passcode_length: options.passcode_length,
            undelivered: None,
            last_scep: None,
            options,
        })
    }

    /// What it was made as.
    pub fn options(&self) -> &PhoneOptions {
        &self.options
    }

    /// Changes hardware or temper; what the phone trusts and the clock's time-outs stay as they were.
    pub fn options_mut(&mut self) -> &mut PhoneOptions {
        &mut self.options
    }

    /// How it is now.
    pub fn snapshot(&self) -> PhoneState {
        self.shared.snapshot()
    }

    /// Makes it misbehave.
    ///
    /// # Errors
    /// [`crate::Error::State`] for NotNow to a request type that iOS never answers so.
    pub fn behave(&mut self, behaviour: Behaviour) -> Result<()> {
        self.behaviours.add(behaviour)
    }

    /// Makes it behave again.
    pub fn behave_well(&mut self) {
        self.behaviours.clear();
    }

    /// The identity it signs with, once it has one.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Makes it sign with another identity: another phone's, or another council's.
    pub fn set_identity(&mut self, identity: Identity) {
        self.identity = Some(identity);
    }

    /// What it knows of the server that manages it.
    pub fn management(&self) -> Option<&Management> {
        self.management.as_ref()
    }

    /// Makes it believe it is managed so, without enrolling.
    pub fn set_management(&mut self, management: Management) {
        self.management = Some(management);
    }

    /// The push token, once it has one.
    pub fn push_token(&self) -> Option<&[u8]> {
        self.registration.as_ref().map(|registration| registration.token.as_slice())
    }

    /// The last SCEP request sent, for sending it again octet for octet.
    pub fn last_scep(&self) -> Option<&SentScep> {
        self.last_scep.as_ref()
    }

    /// The holder opens the locked screen with the passcode.
    pub fn unlock(&mut self) {
        self.shared.change(|state| {
            state.locked = false;
            state.lock_message = None;
        });
    }

    /// The holder sets or removes the passcode (its number of characters).
    pub fn set_passcode(&mut self, length: Option<u8>) {
        self.passcode_length = length;
        self.shared.change(|state| state.passcode_present = length.is_some());
    }

    /// The holder puts another SIM in.
    pub fn change_sim(&mut self, iccid: Option<String>, phone_number: Option<String>) {
        self.options.iccid = iccid;
        self.options.phone_number = phone_number;
    }

    /// The phone forgets that it was managed: certificates, profiles and tokens go, the holder's data stays.
    pub(crate) fn leave_management(&mut self, because: &str) {
        self.forget_server();
        self.shared.change(|state| {
            state.enrolled = false;
            state.unenrolled_because = Some(because.to_owned());
            state.profiles.clear();
        });
    }

    fn forget_server(&mut self) {
        self.identity = None;
        self.management = None;
        self.undelivered = None;
        if let (Some(registration), Some(push)) = (self.registration.take(), &self.options.push) {
            push.unregister_device(&registration.token);
        }
    }

    /// Everything on the phone is destroyed, as by EraseDevice or by the holder.
    pub fn wipe(&mut self) {
        self.forget_server();
        self.passcode_length = None;
        let awaiting_configuration = self.options.awaiting_configuration;
        self.shared.change(|state| {
            state.awaiting_configuration = awaiting_configuration;
            state.enrolled = false;
            state.wiped = true;
            state.locked = false;
            state.lock_message = None;
            state.lost_mode = None;
            state.passcode_present = false;
            state.profiles.clear();
        });
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Phone({}, {})", self.options.name, self.options.serial)
    }
}
