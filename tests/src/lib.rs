//! Beadle.
