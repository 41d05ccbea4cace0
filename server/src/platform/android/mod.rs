//! Google's Android Management API: what is asked of it, how, and what it says about devices.

mod answer;
mod calls;
mod client;
pub mod command;
#[cfg(test)]
mod discovery;
mod failure;
mod key;
pub mod message;
mod name;
mod pubsub;
mod resources;
mod retry;
mod token;

pub use client::{GoogleClient, Pace, PaceFuture};
pub use failure::Failure;
pub use key::ServiceAccountKey;
pub use pubsub::Received;
pub use resources::{DevicePage, EnrollmentToken, Enterprise, EnterprisePatch, NotificationType, SignupUrl};

#[cfg(test)]
mod client_tests;
