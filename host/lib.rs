//! An extension host for Rust servers.
