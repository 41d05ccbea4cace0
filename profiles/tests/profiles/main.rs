//! The crate seen from outside: profiles, coverage and reports, word for word and for anything a council may type.

mod android;
mod android_reports;
mod common;
mod compiled;
mod google;
mod properties;
mod reports;
