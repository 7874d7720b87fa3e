//! Do the plugins that were built for an earlier API version still load and work?

use std::path::Path;

use super::support::{EVERY_TABLE_C, exercise, shared_c_plugin};

#[test]
fn the_one_in_c_works_in_this_process_and_in_the_real_binary() {
    let Some(library) = shared_c_plugin(EVERY_TABLE_C) else {
        return;
    };
    exercise::in_process("every-table-c", &library);
    let binary = Path::new(env!("CARGO_BIN_EXE_exthost"));
    exercise::in_host(binary, "every-table-c", &library);
}
