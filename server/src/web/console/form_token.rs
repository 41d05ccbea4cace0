//! The token in every form: it shows that this server gave the form to this very session, for this address, not long ago.
//!
//! Its random part is also the key under which the form's work is done once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Duration;

use crate::error::Result;
use crate::keys::{Keys, random_bytes};
use crate::model::Moment;

const DOMAIN: &str = "beadle console form 1";
/// No session lasts longer, and the keys of repeats are remembered for twice as long.
const GOOD_FOR: Duration = Duration::hours(12);

/// A token for a form that goes to `action`, for whoever has `binding`.
///
/// # Errors
/// `Internal` when there is no randomness.
pub(super) fn issue(keys: &Keys, binding: &str, action: &str, now: Moment) -> Result<String> {
    let nonce = URL_SAFE_NO_PAD.encode(random_bytes::<12>()?);
    let issued = now.unix().to_string();
    let mac = keys.token.mac(DOMAIN, &[binding.as_bytes(), action.as_bytes(), issued.as_bytes(), nonce.as_bytes()])?;
    Ok(format!("{issued}.{nonce}.{}", URL_SAFE_NO_PAD.encode(mac)))
}

/// The random part of a token that is good; none for any other.
///
/// # Errors
/// `Internal` when it cannot be computed.
pub(super) fn verify(keys: &Keys, binding: &str, action: &str, token: &str, now: Moment) -> Result<Option<String>> {
    let mut parts = token.split('.');
    let (Some(issued), Some(nonce), Some(mac), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Ok(None);
    };
    let (Ok(at), Ok(mac)) = (issued.parse::<i64>(), URL_SAFE_NO_PAD.decode(mac)) else { return Ok(None) };
    let parts: [&[u8]; 4] = [binding.as_bytes(), action.as_bytes(), issued.as_bytes(), nonce.as_bytes()];
    if !keys.token.verify(DOMAIN, &parts, &mac)? {
        return Ok(None);
    }
    let age = now - Moment::from_unix(at);
    Ok((age <= GOOD_FOR && age >= -Duration::minutes(5)).then(|| nonce.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::for_tests;

    #[test]
    fn a_token_is_good_for_one_session_one_address_and_twelve_hours() {
        let (keys, now) = (for_tests(), Moment::from_unix(1_800_000_000));
        let token = issue(&keys, "session", "/console/x", now).expect("a token");
        let good = |binding, action, token: &str, now| verify(&keys, binding, action, token, now).expect("computes");
        assert!(good("session", "/console/x", &token, now + Duration::hours(12)).is_some());
        assert!(good("session", "/console/x", &token, now + Duration::hours(13)).is_none(), "too old");
        assert!(good("session", "/console/x", &token, now - Duration::hours(1)).is_none(), "from the future");
        assert!(good("other", "/console/x", &token, now).is_none(), "another session's");
        assert!(good("session", "/console/y", &token, now).is_none(), "another form's");
        let forged = token.replace("1800000000", "1800000001");
        for wrong in ["", "a.b.c", "1.2", "1800000000..", forged.as_str(), &format!("{token}.x")] {
            assert!(good("session", "/console/x", wrong, now).is_none(), "{wrong}");
        }
    }
}
