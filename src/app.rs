//! The composition root: settings to rooms, wired together, run, drained.
