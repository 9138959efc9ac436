//! Indices of maxima: that they hold the numbers of all taps, and that every position is an element.

use super::MAX_ARG_BITS;
use super::gather::Positions;
use super::sum::check_taps;
use crate::graph::{Gather, Graph, GraphError, Runs, TensorKind, TensorShape};

impl Graph {
    /// Whether node `node`, the index of a maximum over tensors that exist, gives elements of the shape `y`.
    pub(super) fn check_argmax(
        &self,
        node: usize,
        (x, gather, taps): (&TensorShape, &Gather, usize),
        y: &TensorShape,
        positions: &mut Positions,
    ) -> Result<(), GraphError> {
        let TensorKind::Integer { bits } = y.kind else {
            return Err(GraphError::NodeShape { node });
        };
        if gather.pad.is_some() {
            return Err(GraphError::Pad { node, pad: gather.pad });
        }
        check_taps(node, gather, taps, x, y)?;
        let of = match x.kind {
            TensorKind::Code => u8::BITS,
            TensorKind::Integer { bits } => bits,
        };
        let (_, most) = y.kind.range();
        let holds = i64::try_from(taps).is_ok_and(|taps| taps - 1 <= most);
        if !holds || of.saturating_add(bits) > MAX_ARG_BITS {
            return Err(GraphError::ArgWidth { node, taps, of, bits });
        }
        let (rows, columns) = (y.rows_per_sample, y.features.saturating_mul(taps));
        positions.take(node, rows.saturating_mul(columns))?;
        let runs = Runs::new(gather, x.rows_per_sample);
        for column in 0..columns {
            // Runs increase: the first row that none of them has is where they leave off.
            let mut inside = 0;
            runs.of_column(column, |run| {
                if run.row == inside {
                    inside += run.len;
                }
            });
            if inside < rows {
                return Err(GraphError::Outside { node, row: inside, column });
            }
        }
        Ok(())
    }
}
