//! Phones and clouds that stand in for real ones, so that Beadle is tried against something that behaves as devices do.
//!
//! Nothing here shares code with the server: messages are encoded by this crate's own writer, as Apple's devices encode them, and Google's cloud judges by a table
//! of its own.

pub mod android;
pub mod apple;
mod clock;
mod error;
pub mod mail_server;

pub use clock::Clock;
pub use error::{Error, Result};
