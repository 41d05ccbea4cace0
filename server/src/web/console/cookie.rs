//! The two cookies of the console: who is signed in, and, before that, whose form it is.

use actix_web::http::header::{COOKIE, HeaderMap, HeaderValue};

use crate::error::{Error, Result};

/// Holds the session's token. The prefix makes browsers refuse it unless it is Secure, for this host alone, and for every path.
pub(super) const SESSION: &str = "__Host-beadle";
/// Holds a random value that the sign-in form is bound to, since there is no session yet.
pub(super) const VISIT: &str = "__Host-beadle-visit";

/// The value of a cookie that was sent. HTTP/2 may split the header.
pub(super) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(sent, _)| *sent == name)
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty() && value.len() <= 200)
}

/// The header that sets a cookie until the browser is closed. Always Secure: over plain HTTP browsers keep it on this very
/// computer at most, and a weaker cookie for that case would be the one that leaks. Lax, so that a link in a mail opens its
/// page for whoever is signed in; no link changes anything.
///
/// # Errors
/// `Internal` for a value that no cookie can hold.
pub(super) fn set(name: &str, value: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(&format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax")).map_err(Error::internal)
}

/// The header that takes a cookie away.
///
/// # Errors
/// `Internal` for a name that no cookie can have.
pub(super) fn clear(name: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(&format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"))
        .map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("x__Host-beadle=no; __Host-beadle-visit=v"));
        headers.append(COOKIE, HeaderValue::from_static("__Host-beadle=yes"));
        assert_eq!(read(&headers, SESSION), Some("yes"));
        assert_eq!(read(&headers, VISIT), Some("v"));
        assert_eq!(read(&headers, "other"), None);
    }

    #[test]
    fn cookies_are_for_this_host_over_tls_and_out_of_scripts_reach() {
        for header in [set(SESSION, "bs_x").expect("set"), clear(SESSION).expect("cleared")] {
            let text = header.to_str().expect("text");
            for word in ["__Host-", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(text.contains(word), "{text}");
            }
            assert!(!text.contains("Domain"), "{text}");
        }
    }
}
