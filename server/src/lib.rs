//! Beadle: a mobile device management server for town and parish councils.

pub mod clock;
pub mod error;
pub mod model;
pub mod store;

pub use error::{Error, Result};
