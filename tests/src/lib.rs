//! What the journeys share: the real server, simulated phones and clouds.
