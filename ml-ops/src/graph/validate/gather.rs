//! Gathers: that they read what there is, and which of their positions do.

use super::{MAX_ELEMENTS, MAX_POSITIONS};
use crate::graph::{Gather, GatherDim, GraphError, MAX_AXES, TensorShape};

/// Largest size of a step and an offset.
const MAX_STEP: u64 = 1 << 31;

/// Whether `gather`, a node's, reads a tensor of shape `x`, and gives `rows` rows and `columns` columns.
pub(super) fn check_gather(
    node: usize,
    gather: &Gather,
    x: &TensorShape,
    (rows, columns): (usize, usize),
) -> Result<(), GraphError> {
    let Gather { source_cols, source_rows, offsets, .. } = gather;
    let axes = source_cols.len().saturating_add(source_rows.len());
    if axes > MAX_AXES || offsets.len() != axes {
        return Err(GraphError::GatherAxes { node, axes, offsets: offsets.len() });
    }
    let numbers = [gather.rows.len(), gather.cols.len()];
    if numbers.iter().any(|&dims| dims > MAX_AXES) {
        return Err(GraphError::GatherDims { node, rows: numbers[0], cols: numbers[1] });
    }
    let dims = || gather.rows.iter().chain(&gather.cols);
    if let Some(axis) = dims().filter_map(|dim| dim.axis).find(|&axis| axis >= axes) {
        return Err(GraphError::GatherAxis { node, axis, axes });
    }
    let steps = offsets.iter().copied().chain(dims().map(|dim| dim.step));
    if let Some(step) = steps.into_iter().find(|step| step.unsigned_abs() > MAX_STEP) {
        return Err(GraphError::GatherStep { node, step });
    }
    let sizes = [product(source_rows.iter()), product(source_cols.iter())];
    if sizes != [x.rows_per_sample, x.features].map(Some) {
        return Err(GraphError::GatherSource {
            node,
            rows_per_sample: x.rows_per_sample,
            features: x.features,
        });
    }
    let size = |dims: &[GatherDim]| product(dims.iter().map(|dim| &dim.size));
    let elements = rows.checked_mul(columns);
    if size(&gather.rows) != Some(rows)
        || size(&gather.cols) != Some(columns)
        || !elements.is_some_and(|elements| (1..=MAX_ELEMENTS).contains(&elements))
    {
        return Err(GraphError::GatherSize { node, rows, columns });
    }
    Ok(())
}

/// The product of some sizes, if it is within a `usize`.
pub(super) fn product<'a>(sizes: impl Iterator<Item = &'a usize>) -> Option<usize> {
    sizes.copied().try_fold(1, usize::checked_mul)
}

/// The positions that may still be looked at.
pub(super) struct Positions(usize);

impl Positions {
    pub(super) fn new() -> Self {
        Self(MAX_POSITIONS)
    }

    /// Counts `n` that node `node` looks at.
    pub(super) fn take(&mut self, node: usize, n: usize) -> Result<(), GraphError> {
        self.0 = self.0.checked_sub(n).ok_or(GraphError::Positions { node })?;
        Ok(())
    }
}
