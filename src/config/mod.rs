//! Settings: flags over environment over file, one table of keys.
