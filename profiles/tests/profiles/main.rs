//! The crate seen from outside: profiles, coverage and reports, word for word and for anything a council may type.

mod common;
mod compiled;
mod properties;
mod reports;
