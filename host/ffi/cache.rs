//! `cache/1`.

use std::ffi::c_void;

use exthost_abi::cache::CacheTable;
use exthost_abi::kv::{KvWrite, OnEntry};
use exthost_abi::{Status, Str};

use crate::ffi::convert::{Data, require, store, text};
use crate::ffi::enter;
use crate::ffi::kv::{hand, signed};

pub(super) static TABLE: CacheTable = CacheTable {
    get,
    write,
    add,
    expire,
    flush,
};

unsafe extern "C" fn get(
    ctx: *const c_void,
    cause: u64,
    keys: *const Str,
    keys_len: usize,
    data: *mut c_void,
    on_entry: OnEntry,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(on_entry.0.is_some(), "on_entry")?;
        // SAFETY: the plugin lends the keys for the call.
        let keys = unsafe { crate::ffi::kv::keys(keys, keys_len) }?;
        let entries = services.cache.get(&keys)?;
        hand(services, cause, on_entry, data, &entries);
        Ok(())
    })
}

unsafe extern "C" fn write(
    ctx: *const c_void,
    _cause: u64,
    writes: *const KvWrite,
    writes_len: usize,
    number: *mut i64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the writes for the call.
        let writes = unsafe { crate::ffi::kv::writes(writes, writes_len) }?;
        let written = services.cache.write(writes)?;
        // SAFETY: and `number`.
        unsafe { store(number, signed(written)) };
        Ok(())
    })
}

unsafe extern "C" fn add(
    ctx: *const c_void,
    _cause: u64,
    key: Str,
    amount: i64,
    ttl_ms: u64,
    number: *mut i64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the key for the call.
        let key = unsafe { text(key, "key") }?.to_owned();
        let sum = services.cache.add(key, amount, ttl_ms)?;
        // SAFETY: and `number`.
        unsafe { store(number, sum) };
        Ok(())
    })
}

unsafe extern "C" fn expire(ctx: *const c_void, _cause: u64, key: Str, ttl_ms: u64) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the key for the call.
        let key = unsafe { text(key, "key") }?;
        services.cache.expire(key, ttl_ms)
    })
}

unsafe extern "C" fn flush(
    ctx: *const c_void,
    _cause: u64,
    prefix: Str,
    number: *mut i64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the prefix for the call.
        let prefix = unsafe { text(prefix, "prefix") }?;
        let flushed = services.cache.flush(prefix)?;
        // SAFETY: and `number`.
        unsafe { store(number, signed(flushed)) };
        Ok(())
    })
}
