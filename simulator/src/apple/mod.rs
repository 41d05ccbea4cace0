//! Stand-ins for Apple: the iPhone, the push service with its certificate portal, and Apple's schema as a judge.

pub mod ber;
pub mod certificate;
pub mod cms;
pub mod keys;
pub mod phone;
pub mod push_service;
pub mod scep;
pub mod schema;
