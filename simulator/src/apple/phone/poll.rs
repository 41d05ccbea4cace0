//! One visit to the server: Idle, then command after command until there is none.

use plist::{Dictionary, Value};

use super::behaviour::Choice;
use super::channel::to_xml;
use super::profile::{device, text};
use super::{Channel, ErrorItem, Phone, Reply, SeenCommand};
use crate::apple::schema::{self, Source};
use crate::{Error, Result};

/// A phone that is given more commands than this in one visit has met a server that goes round in circles.
const MOST_COMMANDS: usize = 10_000;

/// How a visit went.
#[derive(Debug, Clone)]
pub struct PollOutcome {
    /// The commands received, in order, with what was answered.
    pub commands: Vec<SeenCommand>,
    /// The status sent last (`Idle`, `Acknowledged`, `NotNow` …).
    pub last_status: String,
    /// How it ended.
    pub end: PollEnd,
}

/// How a visit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollEnd {
    /// The server had nothing more.
    Empty,
    /// The server answered this status.
    Refused(u16),
    /// The phone is wiped.
    Wiped,
    /// The phone is no longer managed.
    Unenrolled,
    /// The connection was cut, as the test asked.
    Dropped,
    /// The phone lost the command or its answer, as the test asked.
    Forgotten,
}

/// What carrying out a command comes to.
pub(crate) enum Done {
    Answer(Dictionary),
    Wipe(Dictionary),
    LeaveManagement(Dictionary),
}

impl Phone {
    /// Visits the server once.
    ///
    /// # Errors
    /// [`Error::State`] when the phone is not managed, [`Error::Http`] when the connection fails (an answer then waits for
    /// the next visit, except that to EraseDevice), [`Error::PropertyList`] when a command cannot be read.
    pub async fn poll(&mut self) -> Result<PollOutcome> {
        if self.management.is_none() {
            return Err(Error::State("not managed"));
        }
        let mut commands = Vec::new();
        let mut message = self.undelivered.take().unwrap_or_else(|| self.status_message("Idle"));
        loop {
            let status = text(&message, "Status").unwrap_or_default().to_owned();
            let finish = |commands, end| Ok(PollOutcome { commands, last_status: status.clone(), end });
            let reply = match self.deliver(&message).await? {
                Some(reply) => reply,
                None => return finish(commands, PollEnd::Dropped),
            };
            if self.management.is_none() {
                return finish(commands, PollEnd::Unenrolled);
            }
            if reply.status != 200 {
                if reply.status >= 500 {
                    self.keep(&message);
                }
                return finish(commands, PollEnd::Refused(reply.status));
            }
            if reply.body.is_empty() || commands.len() >= MOST_COMMANDS {
                return finish(commands, PollEnd::Empty);
            }
            let command: Value = plist::from_bytes(&reply.body)?;
            let (seen, next) = self.receive(&command).await?;
            let index = commands.len();
            commands.push(seen);
            message = match next {
                Next::Send(message) => message,
                Next::End(end) => return finish(commands, end),
                Next::SendAndEnd(message, end) => {
                    if let Some(seen) = commands.get_mut(index) {
                        seen.status = text(&message, "Status").map(str::to_owned);
                    }
                    // Best effort: the phone goes whether or not the answer arrives.
                    let _ = self.deliver(&message).await;
                    self.depart(&end).await;
                    return Ok(PollOutcome { commands, last_status: "Acknowledged".into(), end });
                }
            };
            if let Some(seen) = commands.get_mut(index) {
                seen.status = text(&message, "Status").map(str::to_owned);
            }
        }
    }

    async fn depart(&mut self, end: &PollEnd) {
        if *end == PollEnd::Wiped {
            self.wipe();
        } else {
            let _ = self.check_out().await;
            self.shared.change(|state| state.unenrolled_because = Some("removed by the server".into()));
        }
    }

    /// Keeps an answer for the next visit, as iOS does for every command but EraseDevice.
    fn keep(&mut self, message: &Dictionary) {
        if message.contains_key("CommandUUID") {
            self.undelivered = Some(message.clone());
        }
    }

    pub(crate) fn status_message(&self, status: &str) -> Dictionary {
        let mut message = Dictionary::new();
        message.insert("Status".into(), status.into());
        message.insert("UDID".into(), self.options.udid.clone().into());
        message
    }

    /// Sends a message; `None` when the connection was cut as the test asked.
    async fn deliver(&mut self, message: &Dictionary) -> Result<Option<Reply>> {
        let idle = !message.contains_key("CommandUUID");
        if let Some(pause) = self.behaviours.pause() {
            tokio::time::sleep(pause).await;
        }
        let body = to_xml(message)?;
        let signature = self.own_signature(&body)?;
        if let Some(linger) = self.behaviours.interruption(idle) {
            let url = self.channel_url(Channel::Command)?;
            let kind = Channel::Command.content_type();
            let _ = self.http.put_and_drop(url, kind, signature.as_deref(), &body, linger).await;
            self.keep(message);
            return Ok(None);
        }
        if !idle && self.behaviours.invents() {
            let mut invented = self.status_message("Acknowledged");
            invented.insert("CommandUUID".into(), uuid::Uuid::new_v4().to_string().to_uppercase().into());
            self.send(Channel::Command, &invented).await?;
        }
        if !idle && self.behaviours.garbles() {
            let garbage = b"<plist><dict><key>Status</key><string>Acknowl".to_vec();
            let signature = self.own_signature(&garbage)?;
            return Ok(Some(self.put(Channel::Command, &garbage, signature.as_deref()).await?));
        }
        if !idle && self.behaviours.repeats() {
            self.put(Channel::Command, &body, signature.as_deref()).await?;
        }
        match self.put(Channel::Command, &body, signature.as_deref()).await {
            Ok(reply) => Ok(Some(reply)),
            Err(error) => {
                self.keep(message);
                Err(error)
            }
        }
    }

    async fn receive(&mut self, command: &Value) -> Result<(SeenCommand, Next)> {
        let envelope = command.as_dictionary().ok_or(Error::Malformed("command"))?;
        let uuid = text(envelope, "CommandUUID").unwrap_or_default().to_owned();
        let body = envelope.get("Command").and_then(Value::as_dictionary).cloned().unwrap_or_default();
        let request_type = text(&body, "RequestType").unwrap_or_default().to_owned();
        let violations = self.command_violations(command);
        let seen = SeenCommand {
            uuid: uuid.clone(),
            request_type: request_type.clone(),
            command: Value::Dictionary(body.clone()),
            status: None,
            at: self.options.clock.unix(),
        };
        let index = self.shared.change(|state| {
            state.violations.extend(violations.iter().cloned());
            state.commands.push(seen.clone());
            state.commands.len() - 1
        });
        tracing::debug!(phone = %self.options.name, %request_type, %uuid, "command");
        let next = match self.behaviours.for_command(&request_type) {
            Choice::Forget => Next::End(PollEnd::Forgotten),
            Choice::NotNow => Next::Send(self.status_message("NotNow")),
            Choice::Refuse(chain) => Next::Send(self.error_message(&chain)),
            choice => {
                let done = if violations.is_empty() || request_type != "InstallProfile" {
                    self.carry_out(&request_type, &body).await
                } else {
                    Done::Answer(self.error_message(&[ErrorItem {
                        code: 4001,
                        domain: "MCInstallationErrorDomain".into(),
                        description: format!("Profile installation failed: {}", violations.join("; ")),
                    }]))
                };
                self.conclude(done, matches!(choice, Choice::ForgetAnswer))
            }
        };
        let next = next.with_uuid(&uuid);
        let status = next.status();
        self.shared.change(|state| {
            if let Some(seen) = state.commands.get_mut(index) {
                seen.status = status;
            }
        });
        Ok((seen, next))
    }

    fn conclude(&mut self, done: Done, forget_answer: bool) -> Next {
        match done {
            Done::Wipe(_) if forget_answer || !self.options.erase_acknowledges => {
                self.wipe();
                Next::End(PollEnd::Wiped)
            }
            Done::Wipe(answer) => Next::SendAndEnd(answer, PollEnd::Wiped),
            Done::LeaveManagement(answer) => Next::SendAndEnd(answer, PollEnd::Unenrolled),
            Done::Answer(_) if forget_answer => Next::End(PollEnd::Forgotten),
            Done::Answer(answer) => Next::Send(answer),
        }
    }

    fn command_violations(&self, command: &Value) -> Vec<String> {
        if !self.options.check_schema {
            return Vec::new();
        }
        let rights = self.management.as_ref().map(|management| management.access_rights);
        let violations = schema::check_command(command, &device(&self.options, Source::Mdm), rights);
        violations.iter().map(ToString::to_string).collect()
    }

    pub(crate) fn error_message(&self, chain: &[ErrorItem]) -> Dictionary {
        let mut message = self.status_message("Error");
        message.insert("ErrorChain".into(), Value::Array(chain.iter().map(ErrorItem::value).collect()));
        message
    }
}

enum Next {
    Send(Dictionary),
    SendAndEnd(Dictionary, PollEnd),
    End(PollEnd),
}

impl Next {
    fn with_uuid(mut self, uuid: &str) -> Self {
        if let Self::Send(message) | Self::SendAndEnd(message, _) = &mut self {
            message.insert("CommandUUID".into(), uuid.into());
        }
        self
    }

    fn status(&self) -> Option<String> {
        match self {
            Self::Send(message) | Self::SendAndEnd(message, _) => text(message, "Status").map(str::to_owned),
            Self::End(_) => None,
        }
    }
}
