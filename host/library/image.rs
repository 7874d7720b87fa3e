//! A private image of a plugin's file that nobody else can write.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::private;

/// Bytes on a path of their own, for the dynamic linker.
#[derive(Debug)]
pub(super) struct Image {
    path: PathBuf,
    /// Keeps the path alive: closing it would free the number for another
    /// image, whose path the linker would then take for this one's.
    #[cfg(target_os = "linux")]
    file: Option<std::os::fd::OwnedFd>,
}

impl Image {
    /// An image of `bytes`: a sealed memory file where there are such, else a
    /// copy in `copies`, a directory that only this user can enter.
    pub(super) fn of(bytes: &[u8], name: &str, copies: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        if let Ok(image) = Self::in_memory(bytes, name) {
            return Ok(image);
        }
        Self::copy(bytes, name, copies)
    }

    /// Where the linker finds it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps it for the life of the process.
    pub(super) fn keep(self) {
        #[cfg(target_os = "linux")]
        std::mem::forget(self.file);
    }

    #[cfg(target_os = "linux")]
    fn in_memory(bytes: &[u8], name: &str) -> io::Result<Self> {
        use std::io::Write;
        use std::os::fd::AsRawFd;

        use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = std::fs::File::from(memfd_create(name, flags)?);
        file.write_all(bytes)?;
        let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        // By the process's id rather than `self`, so that debuggers find the
        // symbols as well.
        let path = format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd());
        Ok(Image {
            path: path.into(),
            file: Some(file.into()),
        })
    }

    fn copy(bytes: &[u8], name: &str, copies: &Path) -> io::Result<Self> {
        static COPIES: AtomicU64 = AtomicU64::new(0);
        let directory = std::path::absolute(copies)?;
        private_directory(&directory)?;
        let path = directory.join(format!(
            "{}-{}-{name}{}",
            std::process::id(),
            COPIES.fetch_add(1, Ordering::Relaxed),
            std::env::consts::DLL_SUFFIX
        ));
        std::fs::write(&path, bytes)?;
        Ok(Image {
            path,
            #[cfg(target_os = "linux")]
            file: None,
        })
    }
}

#[cfg(unix)]
fn private_directory(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    private::make(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn private_directory(path: &Path) -> io::Result<()> {
    private::make(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_images_of_the_same_bytes_have_two_paths() {
        let directory = tempfile::tempdir().unwrap();
        let make = || Image::of(b"bytes", "a", directory.path()).unwrap();
        let (first, second) = (make(), make());
        assert_ne!(first.path(), second.path());
        assert_eq!(std::fs::read(first.path()).unwrap(), b"bytes");
    }

    #[test]
    fn a_copy_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let copies = directory.path().join("copies");
        let image = Image::copy(b"bytes", "a", &copies).unwrap();
        assert_eq!(std::fs::read(image.path()).unwrap(), b"bytes");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&copies).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_memory_image_cannot_be_written() {
        let image = Image::in_memory(b"bytes", "a").unwrap();
        assert!(std::fs::write(image.path(), b"other").is_err());
        assert_eq!(std::fs::read(image.path()).unwrap(), b"bytes");
    }
}
