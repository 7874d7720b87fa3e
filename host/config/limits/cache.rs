//! The limits of one plugin's cache, with their defaults in one place.

/// What one plugin may keep in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheLimits {
    /// Keys and values together, with what it costs to keep each.
    pub bytes_max: usize,
    /// Length of one value.
    pub value_bytes_max: usize,
}

impl Default for CacheLimits {
    fn default() -> Self {
        CacheLimits {
            bytes_max: 16 * 1024 * 1024,
            value_bytes_max: 1024 * 1024,
        }
    }
}
