//! Signs what a phone says to the server and sends it, and draws the consequence when the server disowns the phone.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plist::{Dictionary, Value};

use super::{Phone, Reply};
use crate::apple::cms;
use crate::apple::keys::Identity;
use crate::{Error, Result};

/// The two conversations of the MDM protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Authenticate, TokenUpdate, CheckOut.
    CheckIn,
    /// Idle and answers; commands come back.
    Command,
}

impl Channel {
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::CheckIn => "application/x-apple-aspen-mdm-checkin",
            Self::Command => "application/x-apple-aspen-mdm; charset=UTF-8",
        }
    }
}

/// A dictionary as the XML property list a device sends.
///
/// # Errors
/// [`Error::PropertyList`] when it cannot be written.
pub(crate) fn to_xml(message: &Dictionary) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    Value::Dictionary(message.clone()).to_writer_xml(&mut body)?;
    Ok(body)
}

impl Phone {
    /// The `Mdm-Signature` of a body, made with any identity, in the phone's style.
    ///
    /// # Errors
    /// [`Error::Cryptography`] when the key cannot sign.
    pub fn sign(&self, identity: &Identity, body: &[u8]) -> Result<String> {
        let (style, now) = (self.options.signature_style, self.options.clock.unix());
        Ok(STANDARD.encode(cms::sign_detached(style, &identity.key, &identity.certificate, body, now)?))
    }

    /// Sends octets as they are, with or without a signature header, to this phone's server.
    ///
    /// # Errors
    /// [`Error::State`] when the phone knows no server, [`Error::Http`] when the connection fails.
    pub async fn put(&mut self, channel: Channel, body: &[u8], signature: Option<&str>) -> Result<Reply> {
        let url = self.channel_url(channel)?;
        let reply = self.http.put(url, channel.content_type(), signature, body).await?;
        self.heed(&reply);
        Ok(reply)
    }

    /// Sends a message signed as the phone signs.
    ///
    /// # Errors
    /// As [`Phone::put`], and [`Error::State`] without an identity.
    pub async fn send(&mut self, channel: Channel, message: &Dictionary) -> Result<Reply> {
        let body = to_xml(message)?;
        let signature = self.own_signature(&body)?;
        self.put(channel, &body, signature.as_deref()).await
    }

    pub(crate) fn own_signature(&self, body: &[u8]) -> Result<Option<String>> {
        let management = self.management.as_ref().ok_or(Error::State("not managed"))?;
        if !management.sign_message {
            return Ok(None);
        }
        let identity = self.identity.as_ref().ok_or(Error::State("no identity"))?;
        self.sign(identity, body).map(Some)
    }

    pub(crate) fn channel_url(&self, channel: Channel) -> Result<reqwest::Url> {
        let management = self.management.as_ref().ok_or(Error::State("not managed"))?;
        super::transport::Transport::url(match channel {
            Channel::CheckIn => &management.check_in_url,
            Channel::Command => &management.server_url,
        })
    }

    /// iOS removes its management when told 401, or since 17 when told 403 with the unrecognised-device code.
    fn heed(&mut self, reply: &Reply) {
        let told = String::from_utf8_lossy(&reply.body);
        let because = match reply.status {
            401 => "the server answered 401",
            403 if self.options.os() >= (17, 0) && told.contains("com.apple.unrecognized.device") => {
                "the server does not recognise the device"
            }
            _ => return,
        };
        tracing::warn!(phone = %self.options.name, because, "management removed");
        self.leave_management(because);
    }
}
