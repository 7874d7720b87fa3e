//! What is refused of the door of a plugin that is compiled in.

use std::time::Duration;

use exthost_abi::door::{Destroy, Extension, Init, Start, Stop};
use exthost_abi::{Services, Status};

use super::*;
use crate::inspect::inspect_embedded;
use crate::verify::{Policy, verify};

const META: &[u8] = b"EXTHOST1\0name=linked\0version=1.0.0\0api=1.0.0\0sdk=c/1.0.0\0panic=none\0\
    tables=log/1=379919527d880efe\0\0";

unsafe extern "C" fn init(_: *const Services, _: *mut *mut c_void) -> Status {
    Status::OK
}

fn door(change: impl FnOnce(&mut PluginTable)) -> &'static PluginTable {
    let mut door = PluginTable {
        abi: ABI,
        flags: 0,
        init: Init(Some(init)),
        start: Start(None),
        stop: Stop(None),
        destroy: Destroy(None),
        extension: Extension(None),
    };
    change(&mut door);
    Box::leak(Box::new(door))
}

#[tokio::test]
async fn a_linked_plugin_is_loaded_if_its_door_is_sound() {
    let directory = tempfile::tempdir().unwrap();
    let loader = Loader::start(directory.path().join("images")).unwrap();
    for (door, code) in [
        (door(|_| {}), None),
        (door(|door| door.abi = 2), Some("door-abi")),
        (door(|door| door.flags = 1), Some("door-flags")),
        (door(|door| door.init = Init(None)), Some("no-init")),
    ] {
        // SAFETY: the one function of the door does nothing, as its contract allows.
        let plugin = unsafe { Embedded::new(door, META) };
        let inspected = inspect_embedded(plugin).unwrap();
        let verified = verify(inspected, &Policy::default()).unwrap();
        let loaded = loader.load(verified, Duration::from_secs(10)).await;
        assert_eq!(loaded.err().map(|error| error.code()), code);
    }
    // It was never copied for the dynamic linker.
    assert!(!directory.path().join("images").exists());
}
