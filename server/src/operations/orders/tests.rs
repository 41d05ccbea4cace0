//! Orders against every wipe rule, and against hand-written SQL.

mod attacks;
mod caps;
mod cases;
mod keeping;
mod offers;
mod rules;
pub(crate) mod scene;
mod wire;
