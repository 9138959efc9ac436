//! A view read as a matrix: the gather that a node reads a tensor through.

use super::view::{Axis, Side, View, merged, size_of};
use crate::graph::{Gather, GatherDim};

/// A view read as a matrix: what dimensions number its rows and its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matrix {
    pub(super) view: View,
    pub(super) rows: Vec<GatherDim>,
    pub(super) cols: Vec<GatherDim>,
    /// What positions outside the view read, `None` if nothing.
    pub(super) pad: Option<u8>,
}

impl Matrix {
    /// The view with the dimensions from `first` on as columns, those before as rows.
    pub(super) fn rows_and_columns(view: &View, first: usize) -> Self {
        let (rows, cols) = view.dims.split_at(first);
        Self { view: view.clone(), rows: rows.concat(), cols: cols.concat(), pad: None }
    }

    /// The view as a tensor of its own lays out its dimensions, those that `is_feature` says as columns.
    pub(super) fn laid_out(view: &View, is_feature: impl Fn(usize) -> bool) -> Self {
        let of = |side: bool| {
            let dims = view.dims.iter().enumerate().filter(|(dim, _)| is_feature(*dim) == side);
            dims.flat_map(|(_, digits)| digits.clone()).collect()
        };
        Self { rows: of(false), cols: of(true), view: view.clone(), pad: None }
    }

    /// Columns, if the tensor is open and the matrix is its elements in order.
    pub(super) fn in_order(&self) -> Option<usize> {
        let all = [&self.rows[..], &self.cols[..]].concat();
        let open = self.view.is_open() && is_whole(&self.view.axes, |_| true, &all);
        open.then(|| size_of(&self.cols))
    }

    /// The same of a tensor that is open no more: its rows have `features`. `None` if they cross its axes.
    pub(super) fn grouped(mut self, features: usize) -> Option<Self> {
        let mut rest = features;
        for axis in self.view.axes.iter_mut().rev().filter(|axis| axis.side == Side::Open) {
            axis.side = if rest > 1 { Side::Feature } else { Side::Row };
            if rest > 1 {
                rest = rest.is_multiple_of(axis.size).then(|| rest / axis.size)?;
            }
        }
        (rest == 1).then_some(self)
    }

    /// The matrix as a gather, `None` if it is the tensor as it is.
    /// Precondition: the tensor is not open.
    pub(super) fn gather(&self) -> Option<Gather> {
        let axes = &self.view.axes;
        let (rows, cols) = (merged(&self.rows), merged(&self.cols));
        if is_whole(axes, |side| side == Side::Row, &rows)
            && is_whole(axes, |side| side == Side::Feature, &cols)
        {
            return None;
        }
        Some(self.explicit_gather())
    }

    /// The matrix as a gather. Precondition: the tensor is not open.
    pub(super) fn explicit_gather(&self) -> Gather {
        let axes = &self.view.axes;
        let of = |side: Side| {
            let numbered = axes.iter().enumerate().filter(move |(_, axis)| axis.side == side);
            numbered.map(|(number, _)| number)
        };
        let order: Vec<usize> = of(Side::Feature).chain(of(Side::Row)).collect();
        let renumbered = |digits: Vec<GatherDim>| {
            let place = |axis: usize| order.iter().position(|&other| other == axis);
            let digit = |digit: GatherDim| GatherDim { axis: digit.axis.and_then(place), ..digit };
            digits.into_iter().map(digit).collect()
        };
        Gather {
            source_cols: of(Side::Feature).map(|axis| axes[axis].size).collect(),
            source_rows: of(Side::Row).map(|axis| axes[axis].size).collect(),
            offsets: order.iter().map(|&axis| axes[axis].offset).collect(),
            rows: renumbered(merged(&self.rows)),
            cols: renumbered(merged(&self.cols)),
            pad: self.pad,
        }
    }

    /// The feature of the tensor that each column reads, if that does not depend on the row.
    /// Precondition: the tensor is not open.
    pub(super) fn features(&self) -> Option<Vec<usize>> {
        let axes = &self.view.axes;
        let is_feature =
            |digit: &GatherDim| digit.axis.is_some_and(|axis| axes[axis].side == Side::Feature);
        if self.rows.iter().any(|digit| digit.size > 1 && is_feature(digit)) {
            return None;
        }
        let column = |column: usize| {
            let mut at: Vec<i64> = axes.iter().map(|axis| axis.offset).collect();
            let mut rest = column;
            for digit in self.cols.iter().rev() {
                if let Some(axis) = digit.axis {
                    at[axis] += digit.step * (rest % digit.size) as i64;
                }
                rest /= digit.size;
            }
            let of_features = axes.iter().zip(&at).filter(|(axis, _)| axis.side == Side::Feature);
            of_features.into_iter().try_fold(0, |number, (axis, &at)| {
                let at = usize::try_from(at).ok().filter(|&at| at < axis.size)?;
                Some(number * axis.size + at)
            })
        };
        (0..self.size().1).map(column).collect()
    }

    /// Rows and columns.
    pub(super) fn size(&self) -> (usize, usize) {
        (size_of(&self.rows), size_of(&self.cols))
    }
}

/// Whether `digits` number all elements of the axes of a side, in order.
fn is_whole(axes: &[Axis], side: impl Fn(Side) -> bool, digits: &[GatherDim]) -> bool {
    let of_side = axes.iter().enumerate().filter(|(_, axis)| side(axis.side));
    let whole: Vec<GatherDim> = of_side
        .clone()
        .filter(|(_, axis)| axis.size > 1)
        .map(|(number, axis)| GatherDim { size: axis.size, axis: Some(number), step: 1 })
        .collect();
    of_side.into_iter().all(|(_, axis)| axis.offset == 0) && merged(digits) == whole
}
