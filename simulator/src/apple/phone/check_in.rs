//! What a phone tells the server about itself: Authenticate, TokenUpdate, CheckOut.

use plist::{Dictionary, Value};

use super::{Channel, Phone, Reply};
use crate::{Error, Result};

/// The access right to lock the phone and to clear its passcode.
const LOCK_AND_CLEAR: u32 = 4;
/// The access right to read device information, hardware numbers among it.
const DEVICE_INFORMATION: u32 = 16;

impl Phone {
    /// The Authenticate message, as an iPhone writes it: `ProductName`, no `Model`.
    ///
    /// # Errors
    /// [`Error::State`] when the phone knows no server.
    pub fn authenticate_message(&self) -> Result<Dictionary> {
        let mut message = self.check_in_message("Authenticate")?;
        let options = &self.options;
        let rights = self.management.as_ref().map_or(0, |management| management.access_rights);
        if rights & DEVICE_INFORMATION != 0 {
            message.insert("BuildVersion".into(), options.build_version.clone().into());
            message.insert("OSVersion".into(), options.os_version.clone().into());
            message.insert("ProductName".into(), options.model.clone().into());
            message.insert("SerialNumber".into(), options.serial.clone().into());
            if let Some(imei) = &options.imei {
                message.insert("IMEI".into(), imei.clone().into());
            }
        }
        Ok(message)
    }

    /// The TokenUpdate message. The unlock token goes along only when asked for.
    ///
    /// # Errors
    /// [`Error::State`] when the phone knows no server, [`Error::Cryptography`] without randomness for a token.
    pub fn token_update_message(&mut self, with_unlock_token: bool) -> Result<Dictionary> {
        let mut message = self.check_in_message("TokenUpdate")?;
        if self.push_magic.is_empty() {
            self.push_magic = uuid::Uuid::new_v4().to_string().to_uppercase();
        }
        let token = match (&self.registration, &self.options.push) {
            (Some(registration), _) => registration.token.clone(),
            (None, Some(push)) => {
                let topic = self.management.as_ref().map(|management| management.topic.clone()).unwrap_or_default();
                let registration = push.register_device(&topic, &self.push_magic)?;
                let token = registration.token.clone();
                self.registration = Some(registration);
                token
            }
            (None, None) => uuid::Uuid::new_v4().as_bytes().repeat(2),
        };
        let awaiting = self.shared.read(|state| state.awaiting_configuration);
        message.insert("AwaitingConfiguration".into(), awaiting.into());
        message.insert("PushMagic".into(), self.push_magic.clone().into());
        message.insert("Token".into(), Value::Data(token));
        if with_unlock_token {
            if self.unlock_token.is_empty() {
                self.unlock_token = vec![0; 64];
                openssl::rand::rand_bytes(&mut self.unlock_token)?;
            }
            message.insert("UnlockToken".into(), Value::Data(self.unlock_token.clone()));
        }
        Ok(message)
    }

    fn check_in_message(&self, message_type: &str) -> Result<Dictionary> {
        let management = self.management.as_ref().ok_or(Error::State("not managed"))?;
        let mut message = Dictionary::new();
        message.insert("MessageType".into(), message_type.into());
        message.insert("Topic".into(), management.topic.clone().into());
        message.insert("UDID".into(), self.options.udid.clone().into());
        Ok(message)
    }

    /// Sends Authenticate.
    ///
    /// # Errors
    /// [`Error::Status`] when the answer is not 200.
    pub async fn authenticate(&mut self) -> Result<Reply> {
        let message = self.authenticate_message()?;
        self.send(Channel::CheckIn, &message).await?.ok()
    }

    /// Sends TokenUpdate; the first one of an enrolment carries the unlock token when the rights allow clearing the passcode.
    ///
    /// # Errors
    /// [`Error::Status`] when the answer is not 200.
    pub async fn token_update(&mut self) -> Result<Reply> {
        let rights = self.management.as_ref().map_or(0, |management| management.access_rights);
        let with_unlock_token = !self.unlock_token_sent && rights & LOCK_AND_CLEAR != 0;
        let message = self.token_update_message(with_unlock_token)?;
        let reply = self.send(Channel::CheckIn, &message).await?.ok()?;
        self.unlock_token_sent |= with_unlock_token;
        self.shared.change(|state| state.enrolled = true);
        Ok(reply)
    }

    /// Gets another push token or magic from the push service and tells the server, as phones do now and then.
    ///
    /// # Errors
    /// As [`Phone::token_update`].
    pub async fn change_push_token(&mut self) -> Result<Reply> {
        if let (Some(old), Some(push)) = (self.registration.take(), &self.options.push) {
            push.unregister_device(&old.token);
        }
        self.push_magic.clear();
        self.token_update().await
    }

    /// The holder removes management by hand: the phone says goodbye if the profile asked for it, and forgets the server.
    ///
    /// # Errors
    /// [`Error::Http`] when goodbye could not be sent; management is gone all the same.
    pub async fn check_out(&mut self) -> Result<()> {
        let goodbye = self.management.as_ref().is_some_and(|management| management.check_out_when_removed);
        let message = self.check_in_message("CheckOut")?;
        let sent = if goodbye { self.send(Channel::CheckIn, &message).await.map(|_| ()) } else { Ok(()) };
        self.leave_management("removed by the holder");
        sent
    }
}
