//! Orders against every wipe rule, and against hand-written SQL.

mod attacks;
mod cases;
mod rules;
mod scene;
mod wire;
