//! Watches, from outside the runtime, plugin code that promised not to block.
//!
//! A thread that calls such code marks a slot of its own before and after; one
//! watching thread looks at the slots every few milliseconds and reports a call
//! that it sees twice. The call itself costs two stores and no clock.

use std::cell::{Cell, OnceCell};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError, Weak};
use std::thread;
use std::time::Duration;

/// How long inline code may run before it counts as a fault.
pub(crate) const OVERSTAY: Duration = Duration::from_millis(10);

/// Runs code of a plugin that must not block, under watch. `id` is the request,
/// task or timer that it serves; when it overstays, `on_overstay` of the
/// watchdog hears that id.
pub(crate) fn inline<R>(id: u64, run: impl FnOnce() -> R) -> R {
    let _mark = Mark::set(id);
    run()
}

/// Runs code of a plugin that must not block, where it may take its time: it is
/// not watched.
pub(crate) fn unwatched<R>(run: impl FnOnce() -> R) -> R {
    let _depth = Depth::enter();
    run()
}

/// Whether this thread is inside [`inline`] or [`unwatched`], where blocking is
/// refused.
pub(crate) fn is_inline() -> bool {
    INLINE.get() > 0
}

/// Starts the watching thread, once a process; `on_overstay` is called on it.
pub(crate) fn start(on_overstay: fn(u64)) {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let thread = thread::Builder::new().name("watchdog".to_owned());
        if let Err(error) = thread.spawn(move || watch(on_overstay)) {
            tracing::error!(%error, "no watchdog: inline handlers that overstay go unnoticed");
        }
    });
}

/// What one thread is doing.
#[derive(Debug, Default)]
struct Slot {
    /// Odd while inside inline code; one more at each way in and out.
    passes: AtomicU64,
    id: AtomicU64,
}

/// Marks the thread's slot for the time of one inline call. Nested calls belong
/// to the outermost.
struct Mark;

impl Mark {
    fn set(id: u64) -> Self {
        if INLINE.replace(INLINE.get() + 1) == 0 {
            with_slot(|slot| {
                slot.id.store(id, Ordering::Relaxed);
                slot.passes.fetch_add(1, Ordering::Release);
            });
        }
        Mark
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let depth = INLINE.get() - 1;
        INLINE.set(depth);
        if depth == 0 {
            with_slot(|slot| {
                slot.passes.fetch_add(1, Ordering::Release);
            });
        }
    }
}

/// One call deeper, until it is dropped.
struct Depth;

impl Depth {
    fn enter() -> Self {
        INLINE.set(INLINE.get() + 1);
        Depth
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        INLINE.set(INLINE.get() - 1);
    }
}

thread_local! {
    static INLINE: Cell<u32> = const { Cell::new(0) };
    static SLOT: OnceCell<Arc<Slot>> = const { OnceCell::new() };
}

fn with_slot(f: impl FnOnce(&Slot)) {
    SLOT.with(|slot| {
        f(slot.get_or_init(|| {
            let slot = Arc::new(Slot::default());
            lock(slots()).push(Arc::downgrade(&slot));
            slot
        }))
    });
}

fn slots() -> &'static Mutex<Vec<Weak<Slot>>> {
    static SLOTS: OnceLock<Mutex<Vec<Weak<Slot>>>> = OnceLock::new();
    SLOTS.get_or_init(Mutex::default)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The watching thread: a call seen at two looks has run for [`OVERSTAY`].
fn watch(on_overstay: fn(u64)) {
    let mut seen: Vec<(Arc<Slot>, u64, bool)> = Vec::new();
    loop {
        thread::sleep(OVERSTAY);
        for slot in lock(slots()).iter().filter_map(Weak::upgrade) {
            if !seen.iter().any(|(known, ..)| Arc::ptr_eq(known, &slot)) {
                seen.push((slot, 0, false));
            }
        }
        for (slot, last, told) in &mut seen {
            let passes = slot.passes.load(Ordering::Acquire);
            let inside = passes % 2 == 1;
            if inside && passes == *last && !*told {
                on_overstay(slot.id.load(Ordering::Relaxed));
                *told = true;
            }
            if passes != *last {
                *last = passes;
                *told = false;
            }
        }
        seen.retain(|(slot, ..)| Arc::strong_count(slot) > 1);
        lock(slots()).retain(|slot| slot.strong_count() > 0);
    }
}
