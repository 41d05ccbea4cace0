//! Orders against every wipe rule, and against hand-written SQL.
