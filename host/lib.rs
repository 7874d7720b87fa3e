//! An extension host for Rust servers.

pub mod discovery;
pub mod inspect;
pub mod name;
pub mod verify;
