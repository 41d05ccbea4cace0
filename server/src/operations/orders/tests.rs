//! Orders against every wipe rule, and against hand-written SQL.

mod attacks;
mod caps;
mod cases;
mod keeping;
mod offers;
mod rules;
pub(in crate::operations) mod scene;
mod wire;
