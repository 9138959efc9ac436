//! Matmuls of two tensors: that their matrices have the rows and columns that heads ask for.

use super::MAX_REQUANTIZED;
use super::gather::{check_gather, product};
use super::steps::check_epilogue;
use crate::graph::{CodeMatrix, Epilogue, Graph, GraphError, Op, TensorKind, TensorShape};

impl Graph {
    /// Whether node `node`, a matmul of two tensors that exist, gives elements of the shape `y`.
    pub(super) fn check_batch_matmul(
        &self,
        node: usize,
        op: &Op,
        y: &TensorShape,
    ) -> Result<(), GraphError> {
        let Op::BatchMatMul { a, b, heads, epilogue, .. } = op else { return Ok(()) };
        let wrong = GraphError::NodeShape { node };
        check_epilogue(node, epilogue, y.features)?;
        if [a, b].iter().any(|matrix| self.tensors[matrix.x].kind != TensorKind::Code) {
            return Err(wrong);
        }
        let columns = self.columns(a).ok_or(wrong)?;
        let no_heads = GraphError::Heads { node, heads: *heads, left: columns, right: y.features };
        let (Some(k), Some(n)) = (columns.checked_div(*heads), y.features.checked_div(*heads))
        else {
            return Err(no_heads);
        };
        if k == 0 || (k * heads, n * heads) != (columns, y.features) {
            return Err(no_heads);
        }
        self.check_matrix(node, a, (y.rows_per_sample, columns))?;
        self.check_matrix(node, b, (k, y.features))?;
        if b.gather.as_ref().is_some_and(|gather| gather.split_taps(n).is_none()) {
            return Err(no_heads);
        }
        let codes = !matches!(epilogue, Epilogue::Accumulator);
        let bound = product_bound(a, b, k);
        if codes && bound >= MAX_REQUANTIZED {
            return Err(GraphError::AccumulatorRange { node, log_bound: bound.ilog2() });
        }
        if codes == (y.kind == TensorKind::Code) { Ok(()) } else { Err(wrong) }
    }

    /// Whether a matrix of a tensor has so many rows and columns.
    fn check_matrix(
        &self,
        node: usize,
        matrix: &CodeMatrix,
        size: (usize, usize),
    ) -> Result<(), GraphError> {
        let x = &self.tensors[matrix.x];
        match &matrix.gather {
            Some(gather) => check_gather(node, gather, x, size),
            None if (x.rows_per_sample, x.features) == size => Ok(()),
            None => Err(GraphError::NodeShape { node }),
        }
    }

    /// Columns of a matrix, if they are within a `usize`.
    fn columns(&self, matrix: &CodeMatrix) -> Option<usize> {
        match &matrix.gather {
            Some(gather) => product(gather.cols.iter().map(|dim| &dim.size)),
            None => Some(self.tensors[matrix.x].features),
        }
    }

    /// The products that a sum of a [`BatchMatMul`](Op::BatchMatMul) with `heads` heads and left operand `a` adds up.
    /// Precondition: the graph is valid.
    pub(crate) fn depth(&self, a: &CodeMatrix, heads: usize) -> usize {
        self.columns(a).and_then(|columns| columns.checked_div(heads)).unwrap_or(0)
    }
}

/// Bound on the size of a sum of `k` products.
pub(super) fn product_bound(a: &CodeMatrix, b: &CodeMatrix, k: usize) -> i128 {
    let size = |matrix: &CodeMatrix| i128::from(matrix.zero_code.max(255 - matrix.zero_code));
    (k as i128).saturating_mul(size(a) * size(b))
}
