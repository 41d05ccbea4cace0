//! What a test makes a phone do that phones do now and then: put off, refuse, dawdle, lose, repeat, garble.

use std::time::Duration;

use plist::{Dictionary, Value};

use crate::{Error, Result};

/// Request types that iOS never answers with NotNow.
pub const NEVER_NOT_NOW: [&str; 7] = [
    "DeviceInformation",
    "ProfileList",
    "DeviceLock",
    "EraseDevice",
    "ClearPasscode",
    "InstalledApplicationList",
    "Restrictions",
];

/// Something a phone does instead of what it should, so many times. `request_type` may be `"*"`.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// Answers NotNow.
    NotNow {
        /// To which commands.
        request_type: String,
        /// How often.
        times: u32,
    },
    /// Answers Error with this chain.
    Refuse {
        /// To which commands.
        request_type: String,
        /// The `ErrorChain`.
        chain: Vec<ErrorItem>,
        /// How often.
        times: u32,
    },
    /// Receives the command and loses it, as by a crash before acting on it; comes back Idle.
    ForgetCommand {
        /// Which commands.
        request_type: String,
        /// How often.
        times: u32,
    },
    /// Acts on the command, but its answer is never sent.
    ForgetAnswer {
        /// To which commands.
        request_type: String,
        /// How often.
        times: u32,
    },
    /// Waits before sending a message.
    Slow {
        /// How long.
        pause: Duration,
        /// How often.
        times: u32,
    },
    /// Sends half a message, then drops the connection.
    DropBeforeSending {
        /// Which messages.
        message: Message,
        /// How often.
        times: u32,
    },
    /// Sends a message and drops the connection without reading the answer.
    DropBeforeReading {
        /// Which messages.
        message: Message,
        /// How often.
        times: u32,
        /// How long at most the connection stays open for the server to begin its answer.
        linger: Duration,
    },
    /// Sends an answer twice, octet for octet, and goes by the second reply.
    RepeatAnswer {
        /// How often.
        times: u32,
    },
    /// Sends an answer with a CommandUUID nobody asked about before the real one.
    UnknownAnswer {
        /// How often.
        times: u32,
    },
    /// Sends octets that are no property list instead of the answer.
    UndecodableAnswer {
        /// How often.
        times: u32,
    },
}

/// Which messages of the command channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// `Idle`.
    Idle,
    /// The answer to a command.
    Answer,
    /// Either.
    Any,
}

/// One item of an `ErrorChain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorItem {
    /// `ErrorCode`.
    pub code: i64,
    /// `ErrorDomain`.
    pub domain: String,
    /// `LocalizedDescription`.
    pub description: String,
}

impl ErrorItem {
    /// An item in Apple's device-management domain.
    pub fn mdm(code: i64, description: &str) -> Self {
        Self { code, domain: "MCMDMErrorDomain".into(), description: description.into() }
    }

    /// Error 12078: not possible in Lost Mode.
    pub fn lost_mode() -> Self {
        Self::mdm(12078, "The device is in Managed Lost Mode and cannot do this.")
    }

    pub(crate) fn value(&self) -> Value {
        let mut item = Dictionary::new();
        item.insert("ErrorCode".into(), self.code.into());
        item.insert("ErrorDomain".into(), self.domain.clone().into());
        item.insert("LocalizedDescription".into(), self.description.clone().into());
        item.insert("USEnglishDescription".into(), self.description.clone().into());
        Value::Dictionary(item)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Behaviours(Vec<Behaviour>);

/// What was chosen for a command.
pub(crate) enum Choice {
    Obey,
    NotNow,
    Refuse(Vec<ErrorItem>),
    Forget,
    ForgetAnswer,
}

impl Behaviours {
    pub(crate) fn add(&mut self, behaviour: Behaviour) -> Result<()> {
        if let Behaviour::NotNow { request_type, .. } = &behaviour
            && NEVER_NOT_NOW.contains(&request_type.as_str())
        {
            return Err(Error::State("iOS never answers NotNow to this request type"));
        }
        self.0.push(behaviour);
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Uses up one turn of the first behaviour that `pick` takes an interest in.
    fn take<T>(&mut self, pick: impl Fn(&Behaviour) -> Option<T>) -> Option<T> {
        for behaviour in &mut self.0 {
            let left = behaviour.times();
            if *left > 0 {
                *left -= 1;
                if let Some(found) = pick(behaviour) {
                    return Some(found);
                }
                *behaviour.times() += 1;
            }
        }
        None
    }

    pub(crate) fn for_command(&mut self, request_type: &str) -> Choice {
        let meant = |wanted: &str| wanted == "*" || wanted == request_type;
        let chosen = self.take(|behaviour| match behaviour {
            Behaviour::NotNow { request_type: wanted, .. }
                if meant(wanted) && !NEVER_NOT_NOW.contains(&request_type) =>
            {
                Some(Choice::NotNow)
            }
            Behaviour::Refuse { request_type: wanted, chain, .. } if meant(wanted) => {
                Some(Choice::Refuse(chain.clone()))
            }
            Behaviour::ForgetCommand { request_type: wanted, .. } if meant(wanted) => Some(Choice::Forget),
            Behaviour::ForgetAnswer { request_type: wanted, .. } if meant(wanted) => Some(Choice::ForgetAnswer),
            _ => None,
        });
        chosen.unwrap_or(Choice::Obey)
    }

    pub(crate) fn pause(&mut self) -> Option<Duration> {
        self.take(|behaviour| if let Behaviour::Slow { pause, .. } = behaviour { Some(*pause) } else { None })
    }

    /// `Some(None)`: drop half-way; `Some(Some(linger))`: drop before reading.
    pub(crate) fn interruption(&mut self, idle: bool) -> Option<Option<Duration>> {
        let meant = |message: &Message| match message {
            Message::Idle => idle,
            Message::Answer => !idle,
            Message::Any => true,
        };
        self.take(|behaviour| match behaviour {
            Behaviour::DropBeforeSending { message, .. } if meant(message) => Some(None),
            Behaviour::DropBeforeReading { message, linger, .. } if meant(message) => Some(Some(*linger)),
            _ => None,
        })
    }

    pub(crate) fn repeats(&mut self) -> bool {
        self.take(|behaviour| matches!(behaviour, Behaviour::RepeatAnswer { .. }).then_some(())).is_some()
    }

    pub(crate) fn invents(&mut self) -> bool {
        self.take(|behaviour| matches!(behaviour, Behaviour::UnknownAnswer { .. }).then_some(())).is_some()
    }

    pub(crate) fn garbles(&mut self) -> bool {
        self.take(|behaviour| matches!(behaviour, Behaviour::UndecodableAnswer { .. }).then_some(())).is_some()
    }
}

impl Behaviour {
    fn times(&mut self) -> &mut u32 {
        match self {
            Self::NotNow { times, .. }
            | Self::Refuse { times, .. }
            | Self::ForgetCommand { times, .. }
            | Self::ForgetAnswer { times, .. }
            | Self::Slow { times, .. }
            | Self::DropBeforeSending { times, .. }
            | Self::DropBeforeReading { times, .. }
            | Self::RepeatAnswer { times }
            | Self::UnknownAnswer { times }
            | Self::UndecodableAnswer { times } => times,
        }
    }
}
