//! The tests, one question a file.
