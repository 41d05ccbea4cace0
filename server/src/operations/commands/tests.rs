//! The command queue against what devices do.
