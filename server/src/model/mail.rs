//! How the way to a mail server is kept private.

use super::text_enum::text_enum;

text_enum! {
    /// How the way to a mail server is kept private.
    pub enum MailSecurity {
        /// It begins in plain text and turns to TLS before anything is said; refused where the server does not offer that.
        Starttls => "starttls",
        /// TLS from the first byte.
        Tls => "tls",
        /// Not at all: only to this same machine.
        None => "none",
    }
}
