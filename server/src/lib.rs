//! Beadle: a mobile device management server for town and parish councils.

pub mod anchor;
pub mod app;
pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod data_folder;
#[cfg(feature = "demo")]
pub mod demo;
pub mod error;
pub mod google;
pub mod installation;
pub mod jobs;
mod jwt_crypto;
pub mod keys;
pub(crate) mod mail;
pub mod maintenance;
pub mod model;
pub mod operations;
pub mod platform;
pub mod process;
pub mod sealing;
pub mod serve;
pub mod sightings;
pub mod store;
#[cfg(test)]
mod testing;
pub mod web;

pub use app::App;
pub use error::{Error, Result};
