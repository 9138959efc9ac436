//! The nodes of a graph: matmul, sums of functions, maximum and its index, Relu on integers, and constants.

use super::{CodeRanges, Edges, Gather, Requantize, TensorId, WeightId};

/// A named operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The name in the file it came from, or a made one; at most 1024 bytes.
    pub name: String,
    /// What it does.
    pub op: Op,
}

/// An operation on whole tensors.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// `acc[r][j] = sum_k (x[r][g(j) K + k] - zero_code) * W[k][j] + bias[j]`, exactly, then the epilogue. `K` is
    /// the weights' number of rows and `g(j) = j / (n / groups)` the group of output column `j`.
    MatMul {
        /// Input, codes or integers.
        x: TensorId,
        /// How the matrix of `groups * K` columns is read from it, if not straight; of codes only.
        gather: Option<Gather>,
        /// The input code that stands for zero; 0 if `x` holds integers.
        zero_code: u8,
        /// The matrix and its bias.
        weights: WeightId,
        /// Groups of columns with inputs of their own, 1 for a plain matmul. More than one ask for weights of a
        /// byte each.
        groups: usize,
        /// Output.
        y: TensorId,
        /// What becomes of the accumulators.
        epilogue: Epilogue,
    },
    /// `acc[r][j]` is the sum over all terms and taps of a function of an element, then the epilogue.
    /// Elementwise functions, sums of tensors, averages, copies.
    Combine {
        /// What is added up, at least one.
        terms: Vec<Term>,
        /// Output. Where it holds codes and the epilogue is `Accumulator`, the sum is the code itself.
        y: TensorId,
        /// What becomes of the sums.
        epilogue: Epilogue,
    },
    /// `y[r][j]` is the largest of the codes that `taps` columns read. Positions outside the source read 0.
    Max {
        /// Input, codes.
        x: TensorId,
        /// How the matrix is read from it: tap `t` of output `(r, j)` at column `j * taps + t`; `pad` is 0.
        gather: Gather,
        /// Elements of which each output is the largest; the last dimensions of the map's columns, one of them cut
        /// perhaps, number them.
        taps: usize,
        /// Output, codes.
        y: TensorId,
    },
    /// `y[r][j]` is which of the elements that `taps` columns read is the largest, counted from 0: of several, the
    /// first, or the last.
    ArgMax {
        /// Input, codes or integers.
        x: TensorId,
        /// How the matrix is read from it: tap `t` of output `(r, j)` at column `j * taps + t`. Every position reads
        /// an element; `pad` is absent.
        gather: Gather,
        /// Elements of which each output is the largest's number; the last dimensions of the map's columns, one of
        /// them cut perhaps, number them.
        taps: usize,
        /// Of equal elements the last counts, not the first.
        last: bool,
        /// Output, integers of a width that holds `taps - 1`; with the width of `x` it is at most
        /// [`MAX_ARG_BITS`](super::MAX_ARG_BITS).
        y: TensorId,
    },
    /// A matmul of two tensors in heads, in each sample: `acc[r][h n + j] = f_r sum_k (a[r][h K + k] - a_0) *
    /// (b[k][h n + j] - b_0)`, exactly, then the epilogue. `a` has `heads * K` columns, `b` has `K` rows and as many
    /// columns as `y`, `heads * n`. Accumulators are below `2^62` in size, whatever the operands hold.
    BatchMatMul {
        /// The left operand.
        a: CodeMatrix,
        /// The right one. The last dimensions of its map's columns, one of them cut perhaps, number the columns of
        /// a head.
        b: CodeMatrix,
        /// Heads, at least one.
        heads: usize,
        /// `f_r` for each row of a sample, at most `2^31` in size; all 1 if absent.
        row_factors: Option<Vec<i64>>,
        /// Output.
        y: TensorId,
        /// What becomes of the accumulators.
        epilogue: Epilogue,
    },
    /// `y = max(x, 0)` on integers of one width.
    Relu {
        /// Input.
        x: TensorId,
        /// Output.
        y: TensorId,
    },
    /// `y` is the same in every sample: public codes.
    Constant {
        /// Those of one sample, `[feature][row]`.
        codes: Vec<u8>,
        /// Output, codes.
        y: TensorId,
    },
}

/// A matrix of codes or integers that is read from each sample of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeMatrix {
    /// The tensor.
    pub x: TensorId,
    /// How the matrix is read from it, if not straight. Positions outside the source read `pad`, or stand for zero;
    /// those of integers stand for zero.
    pub gather: Option<Gather>,
    /// The code that stands for zero; 0 of integers.
    pub zero_code: u8,
}

/// One summand of [`Op::Combine`].
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The tensor it reads.
    pub x: TensorId,
    /// How the matrix is read from it: tap `t` of output `(r, j)` at column `j * taps + t`. Straight if absent, and
    /// then there is one tap. Positions outside the source add nothing, or `function(pad)`; those of a product stand
    /// for zero, or read `pad`.
    pub gather: Option<Gather>,
    /// Elements that each output adds up; the last dimensions of the map's columns, one of them cut perhaps, number
    /// them.
    pub taps: usize,
    /// What is added for an element.
    pub function: Function,
}

impl Term {
    /// The other tensor that it reads, if it is a product.
    pub fn with(&self) -> Option<TensorId> {
        match self.function {
            Function::Product { with, .. } => Some(with),
            Function::Table(_) | Function::Times(_) => None,
        }
    }

    /// How the other tensor's matrix is read from it, if it is a product and through a map.
    pub fn with_gather(&self) -> Option<&Gather> {
        match &self.function {
            Function::Product { with_gather, .. } => with_gather.as_ref(),
            Function::Table(_) | Function::Times(_) => None,
        }
    }
}

/// The least number that the taps of all terms divide, if it is within a `usize`.
pub(crate) fn common_taps(terms: &[Term]) -> Option<usize> {
    least_common_multiple(terms.iter().map(|term| term.taps))
}

/// The least number that all of `numbers` divide; `None` beyond `usize`, or where one of them is zero.
pub(crate) fn least_common_multiple(mut numbers: impl Iterator<Item = usize>) -> Option<usize> {
    numbers.try_fold(1usize, |common, number| {
        common.checked_div(greatest_common_divisor(common, number))?.checked_mul(number)
    })
}

/// The largest number that divides both.
pub(crate) fn greatest_common_divisor(mut a: usize, mut b: usize) -> usize {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// An integer function of an element.
#[derive(Debug, Clone, PartialEq)]
pub enum Function {
    /// Of a code: `table[code]`, each of size at most `2^61`.
    Table(Box<[i64; 256]>),
    /// Of an integer: this many times it, at most `2^61` in size.
    Times(i64),
    /// Of a code and one of another tensor: `factor * (code - zeros[0]) * (other - zeros[1])`. Positions outside a
    /// source read its map's `pad`, or stand for zero.
    Product {
        /// The other tensor, codes.
        with: TensorId,
        /// How its matrix is read from it, of the same rows and columns as the term's; straight if absent.
        with_gather: Option<Gather>,
        /// The codes that stand for zero.
        zeros: [u8; 2],
        /// The factor, at most `2^45` in size.
        factor: i64,
    },
}

impl Function {
    /// The table of what `image` makes of each code.
    pub fn table(image: impl Fn(i64) -> i64) -> Self {
        Self::Table(Box::new(std::array::from_fn(|code| image(code as i64))))
    }
}

impl Op {
    /// An elementwise map of codes.
    pub fn map(x: TensorId, y: TensorId, image: impl Fn(u8) -> u8) -> Self {
        let function = Function::table(|code| i64::from(image(code as u8)));
        let term = Term { x, gather: None, taps: 1, function };
        Self::Combine { terms: vec![term], y, epilogue: Epilogue::Accumulator }
    }

    /// The tensors that the operation reads.
    pub fn inputs(&self) -> Vec<TensorId> {
        match self {
            Self::Constant { .. } => Vec::new(),
            Self::MatMul { x, .. }
            | Self::Relu { x, .. }
            | Self::Max { x, .. }
            | Self::ArgMax { x, .. } => vec![*x],
            Self::BatchMatMul { a, b, .. } => vec![a.x, b.x],
            Self::Combine { terms, .. } => {
                terms.iter().flat_map(|term| [Some(term.x), term.with()]).flatten().collect()
            }
        }
    }

    /// What becomes of accumulators, if the operation has any.
    pub fn epilogue(&self) -> Option<&Epilogue> {
        match self {
            Self::MatMul { epilogue, .. }
            | Self::BatchMatMul { epilogue, .. }
            | Self::Combine { epilogue, .. } => Some(epilogue),
            Self::Relu { .. } | Self::Max { .. } | Self::ArgMax { .. } | Self::Constant { .. } => {
                None
            }
        }
    }

    /// The tensor that the operation writes.
    pub fn output(&self) -> TensorId {
        match self {
            Self::MatMul { y, .. }
            | Self::BatchMatMul { y, .. }
            | Self::Relu { y, .. }
            | Self::Max { y, .. }
            | Self::ArgMax { y, .. }
            | Self::Combine { y, .. }
            | Self::Constant { y, .. } => *y,
        }
    }
}

/// What becomes of accumulators.
#[derive(Debug, Clone, PartialEq)]
pub enum Epilogue {
    /// They are the output.
    Accumulator,
    /// A scale and a rounding take each to an output code.
    Requantize(Requantize),
    /// Step functions given by their edges take each to an output code: one for all columns, or one for each.
    Edges(Vec<Edges>),
}

impl Epilogue {
    /// The code of an accumulator in column `column`, where the epilogue gives codes.
    pub fn code(&self, column: usize, acc: i64) -> Option<u8> {
        match self {
            Self::Accumulator => None,
            Self::Requantize(requantize) => Some(requantize.step(column).code(acc)),
            Self::Edges(steps) => Edges::of_column(steps, column).map(|step| step.code(acc)),
        }
    }

    /// Which accumulators in `[-bound, bound]` each code stands for, of one step for all columns or of each; empty
    /// where the epilogue gives no codes. Precondition: `bound` is at least 0 and below `2^62`.
    pub fn thresholds(&self, bound: i64) -> impl Iterator<Item = CodeRanges> + '_ {
        let (scaled, listed) = match self {
            Self::Accumulator => (&[][..], &[][..]),
            Self::Requantize(requantize) => (&requantize.steps[..], &[][..]),
            Self::Edges(steps) => (&[][..], &steps[..]),
        };
        let scaled = scaled.iter().map(move |step| step.thresholds(bound));
        scaled.chain(listed.iter().map(move |step| step.thresholds(bound)))
    }
}
