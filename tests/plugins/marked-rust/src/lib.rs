//! A plugin in Rust that leaves a mark when its code runs, and does nothing else.
//! Where the mark goes stands in the file: the tests write it into copies.

use exthost_plugin::prelude::*;

/// The file that the constructor makes.
#[used]
static MARK: [u8; 256] = {
    let mut slot = [0; 256];
    let mut at = 0;
    while at < NAME.len() {
        slot[at] = NAME[at];
        at += 1;
    }
    slot
};

const NAME: &[u8; 5] = b"MARK=";

extern "C" fn leave_mark() {
    // The compiler knows what is in the slot, but not what will be.
    let slot = &std::hint::black_box(&MARK)[NAME.len()..];
    let path = slot.split(|&byte| byte == 0).next().unwrap_or_default();
    let path = String::from_utf8_lossy(path);
    // Without a mark the test that looks for it fails.
    let _ = std::fs::File::create(&*path);
}

#[used]
#[cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "what lies in this section is called"),
    unsafe(link_section = ".init_array")
)]
static CONSTRUCTOR: extern "C" fn() = leave_mark;

struct Marked;

impl Plugin for Marked {
    fn init(_router: &mut Router, _services: &Services) -> Result<Self> {
        Ok(Marked)
    }
}

export_plugin!(Marked);
