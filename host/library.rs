//! The loading stage: `Verified` becomes `Loaded`.
//!
//! Exactly the bytes that were inspected are loaded: on Linux from a sealed
//! memory file, elsewhere from a private copy, under a path and an inode never
//! used before, because the dynamic linker answers a known path or inode with
//! the image it already has. Here a plugin's code can run for the first time
//! (constructors), so it happens on one loader thread with a deadline, and a
//! library is never unmapped: Rust code that has touched a thread-local cannot
//! be.

#![allow(
    unsafe_code,
    reason = "dlopen, the door's symbols, and the layout lock"
)]

mod image;
mod layouts;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use exthost_abi::door::{ABI, DOOR_SYMBOL};
use exthost_abi::{Embedded, PluginTable};
use libloading::Library;
use tokio::sync::oneshot;

use crate::ffi::Door;
use crate::verify::Verified;
use image::Image;

/// A plugin whose library is mapped and whose door was checked.
#[derive(Debug)]
pub struct Loaded {
    verified: Verified,
    door: Door,
}

impl Loaded {
    /// What was verified before.
    pub fn verified(&self) -> &Verified {
        &self.verified
    }

    /// The door, to be entered by `init`.
    pub fn door(&self) -> Door {
        self.door
    }
}

/// Loads libraries, one at a time, on a thread of its own.
#[derive(Debug)]
pub struct Loader {
    jobs: mpsc::Sender<Job>,
    /// Set when a library overstayed: the linker's lock is gone with it.
    stuck: AtomicBool,
}

struct Job {
    verified: Verified,
    reply: oneshot::Sender<Result<Loaded, LoadError>>,
}

impl Loader {
    /// Starts the loader thread. `copies` is a directory for private copies,
    /// made when it is needed.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(copies: PathBuf) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        thread::Builder::new()
            .name("loader".to_owned())
            .spawn(move || {
                let mut doors = HashSet::new();
                for job in queue {
                    // Nobody waits any more for one that overstayed.
                    let _ = job.reply.send(load(job.verified, &copies, &mut doors));
                }
            })?;
        Ok(Loader {
            jobs,
            stuck: AtomicBool::new(false),
        })
    }

    /// Loads a library. Its constructors run here. One that is compiled into this
    /// program is there already, and only its door is checked.
    ///
    /// # Errors
    /// [`LoadError`]; the library may be mapped all the same, and stays so.
    pub async fn load(&self, verified: Verified, deadline: Duration) -> Result<Loaded, LoadError> {
        if let Some(plugin) = verified.inspected().embedded() {
            return adopt(verified, plugin);
        }
        if self.stuck.load(Ordering::Acquire) {
            return Err(LoadError::LoaderStuck);
        }
        let (reply, answer) = oneshot::channel();
        if self.jobs.send(Job { verified, reply }).is_err() {
            return Err(LoadError::LoaderStuck);
        }
        match tokio::time::timeout(deadline, answer).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(_)) => Err(LoadError::LoaderStuck),
            Err(_) => {
                self.stuck.store(true, Ordering::Release);
                Err(LoadError::TimedOut { deadline })
            }
        }
    }
}

/// Leaves the process at once, without running the destructors of any library:
/// one of a plugin that hangs would keep the host from ending.
pub fn leave(code: i32) -> ! {
    #[cfg(unix)]
    // SAFETY: `_exit` ends the process and returns to nobody.
    unsafe {
        libc::_exit(code)
    }
    #[cfg(not(unix))]
    std::process::exit(code)
}

/// Why a verified file could not be loaded. Its code may have run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// An earlier library did not return from its constructors.
    #[error(
        "an earlier plugin hangs in its constructors and holds the dynamic linker; no more \
         plugins load until the host is restarted without it"
    )]
    LoaderStuck,
    /// The library did not return from its constructors.
    #[error(
        "its constructors did not return within {} ms; restart the host without it",
        .deadline.as_millis()
    )]
    TimedOut {
        /// The time it had.
        deadline: Duration,
    },
    /// No private image of the file could be made.
    #[error(
        "cannot make a private image of the file: {source}; give this process more memory or disk"
    )]
    Image {
        /// Why.
        source: std::io::Error,
    },
    /// The dynamic linker refused it.
    #[error("the dynamic linker refused it: {reason}; build it for this system")]
    Open {
        /// The linker's own words.
        reason: String,
    },
    /// A symbol that inspection saw is not there.
    #[error("the loaded library does not export `{symbol}`, which its file does; build it again")]
    SymbolMissing {
        /// The symbol.
        symbol: &'static str,
    },
    /// The linker gave back an image it already had.
    #[error(
        "the dynamic linker returned an image that is already loaded, not this file; restart the \
         host to load it"
    )]
    Stale,
    /// The meta in memory is not the one inspected.
    #[error(
        "the meta in memory differs from the meta in the file; build it without the constructor \
         that rewrites it"
    )]
    MetaChanged,
    /// The door is of another ABI.
    #[error("the door is of ABI {found}, this host speaks ABI {ABI}; rebuild the plugin")]
    DoorAbi {
        /// The plugin's.
        found: u32,
    },
    /// The door has flags this host does not know.
    #[error("the door has the flags {found:#x}, of which this host knows none; upgrade the host")]
    DoorFlags {
        /// The plugin's.
        found: u32,
    },
    /// The door has no `init`.
    #[error("the door's init is null; export a function that makes the instance")]
    NoInit,
    /// The layouts cannot be read.
    #[error(
        "its abi_stable layouts cannot be read: {reason}; build it against an unaltered \
         exthost-plugin"
    )]
    LayoutsUnreadable {
        /// abi_stable's own words.
        reason: String,
    },
    /// A table has another layout than this host's.
    #[error(
        "table {table} differs from this host's behind the same fingerprint, at {place}: {plugin} \
         in the plugin, {host} in this host; build it against an unaltered exthost-abi"
    )]
    LayoutDiffers {
        /// The table.
        table: String,
        /// The field, argument or result that differs, from the table's type on.
        place: String,
        /// What it is in the plugin.
        plugin: String,
        /// What it is in this host.
        host: String,
    },
}

impl LoadError {
    /// The stable code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::LoaderStuck => "loader-stuck",
            LoadError::TimedOut { .. } => "load-timeout",
            LoadError::Image { .. } => "image",
            LoadError::Open { .. } => "dlopen",
            LoadError::SymbolMissing { .. } => "symbol-missing",
            LoadError::Stale => "stale-image",
            LoadError::MetaChanged => "meta-changed",
            LoadError::DoorAbi { .. } => "door-abi",
            LoadError::DoorFlags { .. } => "door-flags",
            LoadError::NoInit => "no-init",
            LoadError::LayoutsUnreadable { .. } => "layouts-unreadable",
            LoadError::LayoutDiffers { .. } => "layout-differs",
        }
    }
}

/// Takes a plugin that is compiled into this program; no linker is asked.
fn adopt(verified: Verified, plugin: Embedded) -> Result<Loaded, LoadError> {
    let table = *plugin.door();
    check_door(&table)?;
    // SAFETY: this program stays mapped, and whoever made the `Embedded` answers
    // for the functions of its door.
    let door = unsafe { Door::from_raw(table) };
    Ok(Loaded { verified, door })
}

/// Loads one library on the loader thread.
fn load(
    verified: Verified,
    copies: &std::path::Path,
    doors: &mut HashSet<usize>,
) -> Result<Loaded, LoadError> {
    let inspected = verified.inspected();
    let image = Image::of(inspected.bytes(), verified.meta().name.as_ref(), copies)
        .map_err(|source| LoadError::Image { source })?;
    let library = open(&image)?;
    // Whatever comes of it, it stays mapped under this path.
    image.keep();

    let meta = inspected.meta_bytes();
    let found = symbol(&library, exthost_abi::meta::SYMBOL)?;
    // SAFETY: inspection found the symbol in this very image with as many bytes,
    // and the linker has mapped them for the life of the process.
    let in_memory = unsafe { std::slice::from_raw_parts(found.cast::<u8>(), meta.len()) };
    if in_memory != meta {
        return Err(LoadError::MetaChanged);
    }

    let door = symbol(&library, DOOR_SYMBOL)?;
    if !doors.insert(door.addr()) {
        return Err(LoadError::Stale);
    }
    // SAFETY: the ABI says that this symbol is a `PluginTable`, and the meta,
    // which is the plugin's word that it keeps to the ABI, was verified.
    let table = unsafe { door.cast::<PluginTable>().read_unaligned() };
    check_door(&table)?;
    if inspected.has_layouts() {
        layouts::check(&library)?;
    }
    // SAFETY: the library is never unmapped, and its table was checked.
    let door = unsafe { Door::from_raw(table) };
    Ok(Loaded { verified, door })
}

/// Maps the image, for ever.
fn open(image: &Image) -> Result<ManuallyDrop<Library>, LoadError> {
    #[cfg(unix)]
    let opened = {
        use libloading::os::unix;
        let flags = unix::RTLD_NOW | unix::RTLD_LOCAL;
        // SAFETY: this runs the library's constructors, which the operator
        // trusts as this process; `Verified` says that the linker can follow
        // every pointer of the file.
        unsafe { unix::Library::open(Some(image.path()), flags) }.map(Library::from)
    };
    #[cfg(not(unix))]
    // SAFETY: as above.
    let opened = unsafe { Library::new(image.path()) };
    match opened {
        Ok(library) => Ok(ManuallyDrop::new(library)),
        Err(error) => Err(LoadError::Open {
            reason: reason(&error),
        }),
    }
}

/// The linker's words, which libloading keeps behind its own.
fn reason(error: &libloading::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}

/// The address of a data symbol.
fn symbol(library: &Library, name: &'static str) -> Result<*const c_void, LoadError> {
    // SAFETY: the symbol is taken as an address and not called.
    let found = unsafe { library.get::<*const c_void>(name.as_bytes()) };
    let address = found.ok().map(|symbol| *symbol);
    address
        .filter(|address| !address.is_null())
        .ok_or(LoadError::SymbolMissing { symbol: name })
}

fn check_door(table: &PluginTable) -> Result<(), LoadError> {
    if table.abi != ABI {
        return Err(LoadError::DoorAbi { found: table.abi });
    }
    if table.flags != 0 {
        return Err(LoadError::DoorFlags { found: table.flags });
    }
    match table.init.0 {
        Some(_) => Ok(()),
        None => Err(LoadError::NoInit),
    }
}
