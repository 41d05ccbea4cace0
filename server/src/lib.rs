//! Beadle: a mobile device management server for town and parish councils.

pub mod clock;
pub mod error;
pub mod keys;
pub mod model;
pub mod operations;
pub mod sealing;
pub mod store;

pub use error::{Error, Result};
