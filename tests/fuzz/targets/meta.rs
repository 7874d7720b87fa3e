//! Any bytes as a plugin's meta.

#![no_main]

use exthost::inspect::Meta;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match Meta::parse(bytes) {
        Ok(meta) => assert!(meta.name.as_str().len() <= 64),
        Err(error) => drop(error.to_string()),
    }
});
