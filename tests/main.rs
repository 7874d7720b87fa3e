//! The tests, one question a file.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and says what it skips"
)]

/// Does each published table still say what it said: in Rust, in C, in prose?
mod abi;
