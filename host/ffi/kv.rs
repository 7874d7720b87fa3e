//! `kv/1`.

mod entries;

use std::ffi::c_void;

use exthost_abi::data::Done;
use exthost_abi::kv::{KvQuery, KvTable, KvWrite, NumberDone, OnEntry};
use exthost_abi::{Status, Str};

use self::entries::{GetDone, ListDone, query};
pub(super) use self::entries::{hand, keys, signed, writes};
use crate::ffi::completion::{start, wait};
use crate::ffi::convert::{Data, require, store, text};
use crate::ffi::enter;
use crate::services::db::By;

pub(super) static TABLE: KvTable = KvTable {
    get,
    get_async,
    write,
    write_async,
    add,
    add_async,
    expire,
    expire_async,
    list,
    list_async,
    flush,
    flush_async,
};

unsafe extern "C" fn get(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    keys: *const Str,
    keys_len: usize,
    data: *mut c_void,
    on_entry: OnEntry,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(on_entry.0.is_some(), "on_entry")?;
        // SAFETY: the plugin lends the keys for the call.
        let keys = unsafe { self::keys(keys, keys_len) }?;
        let entries = wait(services, services.kv.get(tx, keys, By::This))?;
        hand(services, cause, on_entry, data, &entries);
        Ok(())
    })
}

unsafe extern "C" fn get_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    keys: *const Str,
    keys_len: usize,
    data: *mut c_void,
    on_entry: OnEntry,
    done: Done,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(on_entry.0.is_some(), "on_entry")?;
        // SAFETY: the plugin lends the keys for the call.
        let keys = unsafe { self::keys(keys, keys_len) }?;
        let work = services.kv.get(tx, keys, By::Runtime);
        start(
            services,
            cause,
            (data, GetDone { on_entry, done }),
            op,
            work,
        )
    })
}

unsafe extern "C" fn write(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    writes: *const KvWrite,
    writes_len: usize,
    number: *mut i64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the writes for the call.
        let writes = unsafe { self::writes(writes, writes_len) }?;
        let work = services.kv.write(cause, tx, writes, By::This);
        let written = wait(services, work)?;
        // SAFETY: and `number`.
        unsafe { store(number, signed(written)) };
        Ok(())
    })
}

unsafe extern "C" fn write_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    writes: *const KvWrite,
    writes_len: usize,
    data: *mut c_void,
    done: NumberDone,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        // SAFETY: the plugin lends the writes for the call.
        let writes = unsafe { self::writes(writes, writes_len) }?;
        let work = services.kv.write(cause, tx, writes, By::Runtime);
        let work = async { work.await.map(signed) };
        start(services, cause, (data, done), op, work)
    })
}

unsafe extern "C" fn add(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    key: Str,
    amount: i64,
    ttl_ms: u64,
    number: *mut i64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the key for the call.
        let key = unsafe { text(key, "key") }?.to_owned();
        let work = services.kv.add(cause, tx, key, amount, ttl_ms, By::This);
        let sum = wait(services, work)?;
        // SAFETY: and `number`.
        unsafe { store(number, sum) };
        Ok(())
    })
}

unsafe extern "C" fn add_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    key: Str,
    amount: i64,
    ttl_ms: u64,
    data: *mut c_void,
    done: NumberDone,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        // SAFETY: the plugin lends the key for the call.
        let key = unsafe { text(key, "key") }?.to_owned();
        let work = services.kv.add(cause, tx, key, amount, ttl_ms, By::Runtime);
        start(services, cause, (data, done), op, work)
    })
}

unsafe extern "C" fn expire(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    key: Str,
    ttl_ms: u64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the key for the call.
        let key = unsafe { text(key, "key") }?.to_owned();
        wait(
            services,
            services.kv.expire(cause, tx, key, ttl_ms, By::This),
        )
    })
}

unsafe extern "C" fn expire_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    key: Str,
    ttl_ms: u64,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        // SAFETY: the plugin lends the key for the call.
        let key = unsafe { text(key, "key") }?.to_owned();
        let work = services.kv.expire(cause, tx, key, ttl_ms, By::Runtime);
        start(services, cause, (data, done), op, work)
    })
}

unsafe extern "C" fn list(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    query: *const KvQuery,
    data: *mut c_void,
    on_entry: OnEntry,
    more: *mut u32,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(on_entry.0.is_some(), "on_entry")?;
        // SAFETY: the plugin lends the query for the call.
        let query = unsafe { self::query(query) }?;
        let page = wait(services, services.kv.list(tx, query, By::This))?;
        hand(services, cause, on_entry, data, &page.entries);
        // SAFETY: and `more`.
        unsafe { store(more, u32::from(page.more)) };
        Ok(())
    })
}

unsafe extern "C" fn list_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    query: *const KvQuery,
    data: *mut c_void,
    on_entry: OnEntry,
    done: NumberDone,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        require(on_entry.0.is_some(), "on_entry")?;
        // SAFETY: the plugin lends the query for the call.
        let query = unsafe { self::query(query) }?;
        let work = services.kv.list(tx, query, By::Runtime);
        start(
            services,
            cause,
            (data, ListDone { on_entry, done }),
            op,
            work,
        )
    })
}

unsafe extern "C" fn flush(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    prefix: Str,
    number: *mut i64,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the prefix for the call.
        let prefix = unsafe { text(prefix, "prefix") }?.to_owned();
        let flushed = wait(services, services.kv.flush(cause, tx, prefix, By::This))?;
        // SAFETY: and `number`.
        unsafe { store(number, signed(flushed)) };
        Ok(())
    })
}

unsafe extern "C" fn flush_async(
    ctx: *const c_void,
    cause: u64,
    tx: u64,
    prefix: Str,
    data: *mut c_void,
    done: NumberDone,
    op: *mut u64,
) -> Status {
    let data = Data(data);
    enter(ctx, |services| {
        // SAFETY: the plugin lends the prefix for the call.
        let prefix = unsafe { text(prefix, "prefix") }?.to_owned();
        let work = services.kv.flush(cause, tx, prefix, By::Runtime);
        let work = async { work.await.map(signed) };
        start(services, cause, (data, done), op, work)
    })
}
