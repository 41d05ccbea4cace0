//! How a device becomes trusted: certificate authority, SCEP, signed messages, invitations and enrolment profiles, without any input or output.
//!
//! Nothing here reads a clock, a file, the network or a database. Times are passed in; what the
//! server must remember (serial numbers, nonces, challenges) is passed in too.

pub mod android;
pub mod apple;
pub mod authority;
mod ber;
mod certificate;
pub mod cms;
mod der;
mod error;
pub mod invitation;
pub mod mdm_signature;
mod oid;
pub mod push_certificate;
pub mod scep;

pub use error::Error;
