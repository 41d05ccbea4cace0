//! Apple's MDM protocol: what devices say, what they are told, and the profiles that they are given.

pub mod command;
pub mod message;
pub mod profile;
pub mod push;
