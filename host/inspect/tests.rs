//! What inspection finds in whole files, well formed and damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::discovery::discover;

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod loader;
mod native;

use native::{native, skip};

const FIXTURES: [(&str, &str); 4] = [
    ("cross-linux-aarch64.so", "linux-aarch64"),
    ("cross-macos-aarch64.dylib", "macos-aarch64"),
    ("cross-macos-x86-64.dylib", "macos-x86-64"),
    ("cross-windows-x86-64.dll", "windows-x86-64"),
];

fn fixture(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(file)
}

fn inspect_at(path: &Path) -> Result<Inspected, InspectError> {
    inspect(Candidate::file(path))
}

fn code(path: &Path) -> &'static str {
    inspect_at(path).unwrap_err().code()
}

#[test]
fn one_plugin_reads_the_same_on_every_platform() {
    let mut metas = Vec::new();
    for (file, target) in FIXTURES {
        let inspected = inspect_at(&fixture(file)).unwrap();
        assert_eq!(inspected.target().to_string(), target);
        assert_eq!(inspected.target().bits(), 64);
        assert!(inspected.has_door() && inspected.exports_meta(), "{file}");
        assert!(
            !inspected.has_layouts() && !inspected.restart_only(),
            "{file}"
        );
        assert!(
            inspected.hazards().is_empty(),
            "{file}: {:?}",
            inspected.hazards()
        );
        metas.push(inspected.meta().clone());
    }
    metas.dedup();
    assert_eq!(metas.len(), 1);
    assert_eq!(metas[0].name.as_str(), "cross");
    assert_eq!(metas[0].other["colour"], "green");
}

#[test]
fn the_summary_is_what_json_shows() {
    let (file, target) = FIXTURES[3];
    let path = fixture(file);
    let inspected = inspect_at(&path).unwrap();
    let json = serde_json::to_value(inspected.summary()).unwrap();
    assert_eq!(json["file"], path.display().to_string());
    assert_eq!(json["size"], fs::metadata(&path).unwrap().len());
    assert_eq!(
        json["hash"],
        blake3::hash(&fs::read(&path).unwrap()).to_hex().as_str()
    );
    assert_eq!(json["target"], target);
    assert_eq!(json["door"], true);
    assert_eq!(json["glibc"], serde_json::Value::Null);
    assert_eq!(json["meta"]["needs"][0], "log/1");
}

#[test]
fn a_library_cut_short_anywhere_is_refused() {
    let mut files: Vec<_> = FIXTURES
        .map(|(file, _)| fs::read(fixture(file)).unwrap())
        .into();
    files.extend(native().cloned());
    for file in files {
        assert!(facts(&file).is_ok());
        for length in (1..file.len()).filter(|length| length % 64 == 0 || *length < 512) {
            assert!(
                facts(&file[..length]).is_err(),
                "{length} of {}",
                file.len()
            );
        }
        assert!(facts(&file[..file.len() - 1]).is_err());
    }
}

#[test]
fn no_damaged_header_is_a_panic() {
    let mut files: Vec<_> = FIXTURES
        .map(|(file, _)| fs::read(fixture(file)).unwrap())
        .into();
    files.extend(native().cloned());
    for mut file in files {
        for at in 0..file.len().min(4096) {
            let byte = file[at];
            for damaged in [0, 0xff, byte ^ 1, byte ^ 0x80, byte.wrapping_add(8)] {
                file[at] = damaged;
                let _ = facts(&file);
            }
            file[at] = byte;
        }
    }
}

#[test]
fn two_metas_are_one_too_many() {
    let file = fs::read(fixture("cross-linux-aarch64.so")).unwrap();
    let image = read(&file).unwrap();
    let blob = image.meta_sections[0];
    let twice = [blob.bytes, blob.bytes].concat();
    let with = |bytes| {
        let mut image = read(&file).unwrap();
        image.meta_sections = vec![image::Blob {
            offset: blob.offset,
            bytes,
        }];
        image
            .meta_bytes()
            .map(<[u8]>::len)
            .map_err(|error| error.code())
    };
    assert_eq!(with(blob.bytes), Ok(blob.bytes.len()));
    assert_eq!(with(&twice), Err("two-metas"));
    assert_eq!(with(&[blob.bytes, b"\0\0x"].concat()), Err("malformed"));
    let mut elsewhere = read(&file).unwrap();
    elsewhere.meta_symbol = Some(image::Blob {
        offset: 0,
        bytes: blob.bytes,
    });
    assert_eq!(elsewhere.meta_bytes().unwrap_err().code(), "meta-mismatch");
    elsewhere.meta_sections = vec![blob, blob];
    assert_eq!(elsewhere.meta_bytes().unwrap_err().code(), "two-metas");
    elsewhere.meta_sections.clear();
    elsewhere.meta_symbol = None;
    assert_eq!(elsewhere.meta_bytes().unwrap_err().code(), "no-meta");
}

#[test]
fn of_a_universal_file_the_fitting_library_is_read() {
    let arm = fs::read(fixture("cross-macos-aarch64.dylib")).unwrap();
    let intel = fs::read(fixture("cross-macos-x86-64.dylib")).unwrap();
    let mut fat = [0xcafe_babe_u32, 2].map(u32::to_be_bytes).concat();
    let mut body = Vec::new();
    for (cpu, subtype, file) in [(0x0100_000c_u32, 0, &arm), (0x0100_0007, 3, &intel)] {
        let offset = 0x4000 + body.len() as u32;
        let arch = [cpu, subtype, offset, file.len() as u32, 14];
        fat.extend(arch.map(u32::to_be_bytes).concat());
        body.extend_from_slice(file);
        body.resize(body.len().next_multiple_of(0x4000), 0);
    }
    fat.resize(0x4000, 0);
    fat.extend_from_slice(&body);
    let (found, meta_bytes) = facts(&fat).unwrap();
    let current = Target::current();
    let expected = if current.machine() == "x86-64" {
        "x86-64"
    } else {
        "aarch64"
    };
    assert_eq!(found.target.machine(), expected);
    assert_eq!(Meta::parse(&meta_bytes).unwrap().name.as_str(), "cross");
    assert!(facts(&fat[..0x5000]).is_err());
}

#[test]
fn what_is_no_library_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    assert_eq!(
        code(&put("notes.txt", b"remember the milk")),
        "not-a-library"
    );
    assert_eq!(code(&put("empty.so", b"")), "empty");
    assert_eq!(code(&put("header.so", b"\x7fELF")), "truncated");
    assert_eq!(
        code(&put("class.so", b"\x7fELF\x09\x01\x01\x00")),
        "malformed"
    );
    assert_eq!(code(&put("short.dll", b"MZ")), "truncated");
    assert_eq!(
        code(&put("Main.class", &[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 61])),
        "malformed"
    );
    assert_eq!(code(&directory.path().join("gone.so")), "unreadable");
    assert_eq!(code(directory.path()), "not-a-file");
    assert_eq!(
        code(&std::env::current_exe().unwrap()),
        too_large_or_executable()
    );
    let sparse = fs::File::create(directory.path().join("sparse.so")).unwrap();
    sparse.set_len(4 << 30).unwrap();
    assert_eq!(code(&directory.path().join("sparse.so")), "too-large");
}

/// This test itself, whose size depends on how it was built.
fn too_large_or_executable() -> &'static str {
    let size = fs::metadata(std::env::current_exe().unwrap())
        .unwrap()
        .len();
    if size > SIZE_MAX {
        "too-large"
    } else {
        "not-shared"
    }
}

#[cfg(unix)]
#[test]
fn a_fifo_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo.so");
    let made = Command::new("mkfifo").arg(&path).status();
    if !made.is_ok_and(|status| status.success()) {
        return skip("no mkfifo");
    }
    let error = inspect_at(&path).unwrap_err();
    assert_eq!(error.code(), "not-a-file");
    assert!(error.to_string().starts_with("is a FIFO"), "{error}");
    assert_eq!(code(Path::new("/dev/zero")), "not-a-file");
}

#[test]
fn each_bad_file_of_a_directory_has_its_own_refusal() {
    let directory = tempfile::tempdir().unwrap();
    let good = fs::read(fixture("cross-linux-aarch64.so")).unwrap();
    let mut headless = good.clone();
    let name = good
        .windows(9)
        .position(|window| window == b".exthost\0")
        .unwrap();
    headless[name + 1] = b'x';
    let symbol = good
        .windows(13)
        .position(|window| window == b"exthost_meta\0")
        .unwrap();
    headless[symbol] = b'x';
    let files: [(&str, &[u8]); 5] = [
        ("cut.so", &good[..good.len() / 2]),
        ("empty.so", b""),
        ("good.so", &good),
        ("headless.so", &headless),
        ("notes.txt", b"remember the milk"),
    ];
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).unwrap();
    }
    let (candidates, errors) = discover(&[directory.path().to_owned()]);
    assert!(errors.is_empty());
    let codes: Vec<_> = candidates
        .into_iter()
        .map(|candidate| inspect(candidate).map_or_else(|error| error.code(), |_| "good"))
        .collect();
    assert_eq!(
        codes,
        ["truncated", "empty", "good", "no-meta", "not-a-library"]
    );
}
