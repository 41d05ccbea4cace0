//! Bearer tokens of the API: short-lived JWTs with everything about them pinned, and a row each so that they can be revoked.

mod jwt;

pub use jwt::verify;
