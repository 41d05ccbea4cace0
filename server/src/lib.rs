//! Beadle: a mobile device management server for town and parish councils.

pub mod app;
pub mod clock;
pub mod config;
pub mod error;
pub mod keys;
pub mod model;
pub mod operations;
pub mod platform;
pub mod sealing;
pub mod store;
pub mod web;
#[cfg(test)]
mod testing;

pub use app::App;
pub use error::{Error, Result};
