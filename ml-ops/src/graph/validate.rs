//! What makes a graph valid, and the bounds on accumulators that follow from public data alone.

use super::{
    Alphabet, Epilogue, Graph, GraphError, InputTransform, IntegerType, Node, Op, OutputTransform,
    Requantize, Step, TensorKind, WeightShape, digits_per_byte, port::dequantize_table,
};

/// Most elements of a weight matrix, and of one sample of a tensor: `2^28`.
pub const MAX_ELEMENTS: usize = 1 << 28;

/// Most bytes of a graph's or a node's name.
pub const MAX_NAME_BYTES: usize = 1024;

/// Bound on accumulators that are requantized, as runtimes hold them in 32 bits.
const MAX_REQUANTIZED: i128 = 1 << 31;

impl Graph {
    /// Whether every invariant holds that functions over graphs rely on.
    ///
    /// Sizes are within [`MAX_ELEMENTS`]; each tensor is written exactly once, before it is read; each
    /// weight matrix is used by exactly one node; shapes and kinds agree; steps are monotone functions
    /// into their type; accumulators are bounded.
    ///
    /// # Errors
    /// The first [`GraphError`] found.
    pub fn validate(&self) -> Result<(), GraphError> {
        check_name(&self.name)?;
        self.check_tensors()?;
        self.check_weights()?;
        self.check_input()?;
        let mut written = vec![false; self.tensors.len()];
        let mut uses = vec![0usize; self.weights.len()];
        written[self.input.tensor] = true;
        for (index, node) in self.nodes.iter().enumerate() {
            self.check_node(index, node, &mut written, &mut uses)?;
        }
        if let Some(tensor) = written.iter().position(|&w| !w) {
            return Err(GraphError::NeverWritten { tensor });
        }
        if let Some(weights) = uses.iter().position(|&u| u != 1) {
            let uses = uses[weights];
            return Err(GraphError::WeightUses { weights, uses });
        }
        self.check_output()
    }

    /// Bound on the size of every accumulator of node `node`, from public data alone: the row count of
    /// its weights, the ranges of its input and of its alphabet, and the width of its biases. 0 for a
    /// node that is no matmul.
    pub fn accumulator_bound(&self, node: usize) -> i128 {
        match &self.nodes[node].op {
            Op::MatMul { x, zero_code, weights, .. } => {
                let kind = self.tensors[*x].kind;
                bound(kind, i64::from(*zero_code), &self.weights[*weights])
            }
            Op::Relu { .. } | Op::Combine { .. } | Op::Max { .. } => 0,
        }
    }

    /// Multiply-accumulates that one sample of the batch takes.
    pub fn macs_per_sample(&self) -> u64 {
        self.nodes
            .iter()
            .map(|node| match &node.op {
                Op::MatMul { x, weights, .. } => {
                    let shape = &self.weights[*weights];
                    let rows = self.tensors[*x].rows_per_sample as u64;
                    rows.saturating_mul((shape.k * shape.n) as u64)
                }
                Op::Relu { .. } | Op::Combine { .. } | Op::Max { .. } => 0,
            })
            .fold(0, u64::saturating_add)
    }

    fn check_tensors(&self) -> Result<(), GraphError> {
        for (tensor, shape) in self.tensors.iter().enumerate() {
            let elements = shape.rows_per_sample.checked_mul(shape.features);
            if !elements.is_some_and(|e| (1..=MAX_ELEMENTS).contains(&e)) {
                return Err(GraphError::TensorSize {
                    tensor,
                    rows_per_sample: shape.rows_per_sample,
                    features: shape.features,
                });
            }
            if let TensorKind::Integer { bits } = shape.kind
                && !(1..=63).contains(&bits)
            {
                return Err(GraphError::IntegerWidth { tensor, bits });
            }
        }
        Ok(())
    }

    fn check_weights(&self) -> Result<(), GraphError> {
        for (weights, shape) in self.weights.iter().enumerate() {
            let (k, n) = (shape.k, shape.n);
            let elements = k.checked_mul(n);
            if !elements.is_some_and(|e| (1..=MAX_ELEMENTS).contains(&e)) {
                return Err(GraphError::WeightSize { weights, k, n });
            }
            let small = |v: &i32| (-255..=255).contains(v);
            let valid = match &shape.alphabet {
                Alphabet::Digits { values, per_byte } => {
                    (2..=16).contains(&values.len())
                        && values.iter().all(small)
                        && values.is_sorted_by(|a, b| a < b)
                        && *per_byte == digits_per_byte(values.len())
                }
                Alphabet::Byte { offsets } => {
                    (offsets.len() == 1 || offsets.len() == n) && offsets.iter().all(small)
                }
            };
            if !valid {
                return Err(GraphError::Alphabet { weights });
            }
            if shape.bias_bits > 62 {
                let bits = shape.bias_bits;
                return Err(GraphError::BiasWidth { weights, bits });
            }
        }
        Ok(())
    }

    fn check_input(&self) -> Result<(), GraphError> {
        let tensor = self.input.tensor;
        let elements = elements(&self.input.shape);
        let shape = self.tensors.get(tensor).ok_or(GraphError::NoSuchTensor { tensor })?;
        if shape.kind != TensorKind::Code || elements != Some(shape.per_sample()) {
            return Err(GraphError::PortShape { tensor });
        }
        match self.input.transform {
            InputTransform::Codes { .. } => Ok(()),
            InputTransform::Quantize { scale, zero_point, dtype } => {
                if positive(scale) && dtype.code(zero_point).is_some() {
                    Ok(())
                } else {
                    Err(GraphError::PortScale { tensor })
                }
            }
        }
    }

    fn check_output(&self) -> Result<(), GraphError> {
        let tensor = self.output.tensor;
        let elements = elements(&self.output.shape);
        let shape = self.tensors.get(tensor).ok_or(GraphError::NoSuchTensor { tensor })?;
        if elements != Some(shape.per_sample()) {
            return Err(GraphError::PortShape { tensor });
        }
        let agrees = match self.output.transform {
            OutputTransform::Codes { .. } | OutputTransform::Dequantize { .. } => {
                shape.kind == TensorKind::Code
            }
            OutputTransform::Integer { dtype } => {
                let most = match dtype {
                    IntegerType::I32 => 32,
                    IntegerType::I64 => 63,
                };
                matches!(shape.kind, TensorKind::Integer { bits } if bits <= most)
            }
        };
        if !agrees {
            return Err(GraphError::PortShape { tensor });
        }
        if let OutputTransform::Dequantize { scale, zero_point, dtype } = self.output.transform {
            let valid = positive(scale) && dtype.code(zero_point).is_some() && {
                let images = dequantize_table(scale, zero_point, dtype);
                images.iter().all(|x| x.is_finite()) && images.is_sorted_by(|a, b| a < b)
            };
            if !valid {
                return Err(GraphError::PortScale { tensor });
            }
        }
        Ok(())
    }

    fn check_node(
        &self,
        index: usize,
        node: &Node,
        written: &mut [bool],
        uses: &mut [usize],
    ) -> Result<(), GraphError> {
        check_name(&node.name)?;
        let (x_id, y_id) = (node.op.inputs()[0], node.op.output());
        let tensor =
            |id: usize| self.tensors.get(id).ok_or(GraphError::NoSuchTensor { tensor: id });
        let (x, y) = (tensor(x_id)?, tensor(y_id)?);
        if !written[x_id] {
            return Err(GraphError::ReadBeforeWrite { tensor: x_id });
        }
        if written[y_id] {
            return Err(GraphError::WrittenTwice { tensor: y_id });
        }
        written[y_id] = true;
        let agrees = match &node.op {
            Op::MatMul { zero_code, weights, epilogue, .. } => {
                let missing = GraphError::NoSuchWeights { node: index, weights: *weights };
                let shape = self.weights.get(*weights).ok_or(missing)?;
                uses[*weights] += 1;
                if x.kind != TensorKind::Code && *zero_code != 0 {
                    return Err(GraphError::ZeroCode { node: index, zero_code: *zero_code });
                }
                check_epilogue(index, epilogue, shape.n)?;
                let bound = bound(x.kind, i64::from(*zero_code), shape);
                let codes = matches!(epilogue, Epilogue::Requantize(_));
                if codes && bound >= MAX_REQUANTIZED {
                    return Err(GraphError::AccumulatorRange {
                        node: index,
                        log_bound: bound.ilog2(),
                    });
                }
                x.features == shape.k
                    && y.features == shape.n
                    && x.rows_per_sample == y.rows_per_sample
                    && codes == (y.kind == TensorKind::Code)
            }
            Op::Relu { .. } => x == y && x.kind != TensorKind::Code,
            Op::Combine { .. } | Op::Max { .. } => true,
        };
        if agrees { Ok(()) } else { Err(GraphError::NodeShape { node: index }) }
    }
}

fn check_epilogue(node: usize, epilogue: &Epilogue, columns: usize) -> Result<(), GraphError> {
    let Epilogue::Requantize(Requantize { steps }) = epilogue else {
        return Ok(());
    };
    if steps.len() != 1 && steps.len() != columns {
        let got = steps.len();
        return Err(GraphError::StepCount { node, columns, got });
    }
    match steps.iter().position(|step| !valid_step(step)) {
        Some(step) => Err(GraphError::Step { node, step }),
        None => Ok(()),
    }
}

fn valid_step(step: &Step) -> bool {
    let type_max = step.type_min.saturating_add(255);
    positive(step.scale)
        && (step.type_min == 0 || step.type_min == -128)
        && step.type_min <= step.qmin
        && step.qmin <= step.qmax
        && step.qmax <= type_max
        && (step.type_min..=type_max).contains(&step.zero_point)
}

fn check_name(name: &str) -> Result<(), GraphError> {
    if name.len() > MAX_NAME_BYTES {
        return Err(GraphError::Name { bytes: name.len() });
    }
    Ok(())
}

fn positive(scale: f32) -> bool {
    scale.is_finite() && scale > 0.0
}

fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d))
}

/// `max_j |sum_k x_k W_kj + bias_j|` over the ranges that operands have.
pub(crate) fn bound(x: TensorKind, zero_code: i64, weights: &WeightShape) -> i128 {
    let (low, high) = x.range();
    let operand = i128::from(low - zero_code).abs().max(i128::from(high - zero_code).abs());
    let widest = |(low, high): (i32, i32)| low.unsigned_abs().max(high.unsigned_abs());
    let weight = match &weights.alphabet {
        Alphabet::Digits { .. } => widest(weights.alphabet.range(0)),
        Alphabet::Byte { offsets } => {
            (0..offsets.len()).map(|j| widest(weights.alphabet.range(j))).max().unwrap_or(0)
        }
    };
    let bias = match weights.bias_bits {
        0 => 0,
        bits => 1i128 << (bits - 1),
    };
    weights.k as i128 * operand * i128::from(weight) + bias
}
