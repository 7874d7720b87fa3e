//! The middle of several figures, and how far they lie apart.

use std::fmt;

/// Median and quartiles.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    low: f64,
    high: f64,
}

impl Spread {
    /// Of at least one figure.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        Spread {
            median: at(&figures, 0.5),
            low: at(&figures, 0.25),
            high: at(&figures, 0.75),
        }
    }
}

/// The figure below which the given part of all lies.
pub(crate) fn at<T: Copy>(sorted: &[T], part: f64) -> T {
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(0);
        let Spread { median, low, high } = self;
        let text = format!("{median:.digits$} ({low:.digits$} to {high:.digits$})");
        // Not `pad`, which would take the precision for a length.
        write!(f, "{text:width$}", width = f.width().unwrap_or(0))
    }
}
