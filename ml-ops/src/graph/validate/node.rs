//! Nodes: that they read and write what there is, of shapes and kinds that agree.

use super::bounds::bound;
use super::gather::{Positions, check_gather};
use super::steps::check_epilogue;
use super::{MAX_REQUANTIZED, MAX_TERMS, check_name};
use crate::graph::{
    Alphabet, Epilogue, Graph, GraphError, Node, Op, TensorId, TensorKind, TensorShape,
};

impl Graph {
    pub(super) fn check_node(
        &self,
        index: usize,
        node: &Node,
        written: &mut [bool],
        uses: &mut [usize],
        positions: &mut Positions,
    ) -> Result<(), GraphError> {
        check_name(&node.name)?;
        for x in node.op.inputs() {
            self.shape(x)?;
            if !written[x] {
                return Err(GraphError::ReadBeforeWrite { tensor: x });
            }
        }
        let y_id = node.op.output();
        let y = self.shape(y_id)?;
        if written[y_id] {
            return Err(GraphError::WrittenTwice { tensor: y_id });
        }
        written[y_id] = true;
        match &node.op {
            Op::MatMul { .. } => self.check_matmul(index, &node.op, y, uses),
            Op::BatchMatMul { .. } => self.check_batch_matmul(index, &node.op, y),
            Op::Relu { x, .. } => {
                let agrees = self.tensors[*x] == *y && y.kind != TensorKind::Code;
                if agrees { Ok(()) } else { Err(GraphError::NodeShape { node: index }) }
            }
            Op::Combine { terms, epilogue, .. } => {
                if !(1..=MAX_TERMS).contains(&terms.len()) {
                    return Err(GraphError::Terms { node: index, terms: terms.len() });
                }
                check_epilogue(index, epilogue, y.features)?;
                self.check_sum(index, terms, y, epilogue, positions)
            }
            Op::Constant { codes, .. } => {
                let (expected, got) = (y.per_sample(), codes.len());
                let agrees = y.kind == TensorKind::Code && got == expected;
                let wrong = GraphError::Constant { node: index, expected, got };
                if agrees { Ok(()) } else { Err(wrong) }
            }
            Op::Max { x, gather, taps, .. } => {
                self.check_max(index, (&self.tensors[*x], gather, *taps), y, positions)
            }
            Op::ArgMax { x, gather, taps, .. } => {
                self.check_argmax(index, (&self.tensors[*x], gather, *taps), y, positions)
            }
        }
    }

    fn shape(&self, tensor: TensorId) -> Result<&TensorShape, GraphError> {
        self.tensors.get(tensor).ok_or(GraphError::NoSuchTensor { tensor })
    }

    /// Whether node `node`, a matmul over tensors that exist, gives elements of the shape `y`.
    fn check_matmul(
        &self,
        node: usize,
        op: &Op,
        y: &TensorShape,
        uses: &mut [usize],
    ) -> Result<(), GraphError> {
        let Op::MatMul { x, gather, zero_code, weights, groups, epilogue, .. } = op else {
            return Ok(());
        };
        let x = &self.tensors[*x];
        let missing = GraphError::NoSuchWeights { node, weights: *weights };
        let shape = self.weights.get(*weights).ok_or(missing)?;
        uses[*weights] += 1;
        if x.kind != TensorKind::Code && *zero_code != 0 {
            return Err(GraphError::ZeroCode { node, zero_code: *zero_code });
        }
        check_epilogue(node, epilogue, shape.n)?;
        let bytes = matches!(shape.alphabet, Alphabet::Byte { .. });
        if *groups == 0 || !shape.n.is_multiple_of(*groups) || *groups > 1 && !bytes {
            return Err(GraphError::Groups { node, groups: *groups, columns: shape.n });
        }
        let columns = groups.checked_mul(shape.k).ok_or(GraphError::NodeShape { node })?;
        let bound = bound(x.kind, i64::from(*zero_code), shape);
        let codes = !matches!(epilogue, Epilogue::Accumulator);
        if codes && bound >= MAX_REQUANTIZED {
            return Err(GraphError::AccumulatorRange { node, log_bound: bound.ilog2() });
        }
        let reads = match gather {
            None => x.features == columns && x.rows_per_sample == y.rows_per_sample,
            Some(gather) => {
                check_gather(node, gather, x, (y.rows_per_sample, columns))?;
                x.kind == TensorKind::Code
            }
        };
        if reads && y.features == shape.n && codes == (y.kind == TensorKind::Code) {
            Ok(())
        } else {
            Err(GraphError::NodeShape { node })
        }
    }
}
