//! The `exthost` command.
fn main() {}
