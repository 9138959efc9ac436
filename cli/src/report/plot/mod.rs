//! Plots as SVG: lines over an axis, horizontal bars; legible on light and dark pages.

mod bars;
mod canvas;
mod legend;
mod lines;
mod scale;

pub use bars::{BarPlot, Reference, Row};
pub use lines::{Axis, LinePlot, Series};
pub use scale::Scale;

#[cfg(test)]
pub(crate) mod tests;
