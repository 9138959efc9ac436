//! Plots as SVG: lines over an axis, horizontal bars; legible on light and dark pages.

mod bars;
mod canvas;
mod legend;
mod lines;
mod scale;

pub(super) use bars::{BarPlot, Reference, Row};
pub(super) use lines::{Axis, LinePlot, Series};
pub(super) use scale::Scale;

#[cfg(test)]
pub(super) mod tests;
