//! Any bytes as a plugin's file: inspected, and verified where they pass.

#![no_main]

use std::sync::LazyLock;

use exthost::inspect::inspect_bytes;
use exthost::verify::{Policy, verify};
use libfuzzer_sys::fuzz_target;

static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);

fuzz_target!(|bytes: &[u8]| {
    match inspect_bytes("fuzz", bytes.to_vec()) {
        Ok(inspected) => drop(verify(inspected, &POLICY).map_err(|error| error.to_string())),
        Err(error) => drop(error.to_string()),
    }
});
