//! Does a plugin load and work whatever compiler made it, of whatever language?
//!
//! A few compilers and settings are tried, all of them with `EXTHOST_TEST_FULL=1`.
#![cfg(target_os = "linux")]

mod c;
mod rust;
