//! Google's Android Management API: what is asked of it, how, and what it says about devices.

pub mod command;
#[cfg(test)]
mod discovery;
mod failure;
mod key;
pub mod message;

pub use failure::Failure;
pub use key::ServiceAccountKey;
