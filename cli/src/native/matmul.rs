//! Exact matmuls by 8-bit weights, on rten's int8 kernels.
//!
//! A wide input is cut into limbs, each of which the kernels multiply exactly: limbs of 8 bits, or of 7
//! where a kernel saturates sums of two products to 16 bits (AVX2).

use binfer_ml_ops::graph::{Model, Op, TensorKind};
use rten_gemm::{
    BiasVector, GemmExecutor, GemmInputA, GemmInputB, GemmOptions, PackedBMatrix, QuantParams,
};
use rten_tensor::NdTensorView;

use super::Rows;

/// The kernels of this processor.
pub(super) struct Int8Gemm {
    executor: GemmExecutor<u8, i8, i32>,
    /// Bits of a limb; 0 for plain loops.
    limb_bits: u32,
}

impl Int8Gemm {
    /// Chooses the kernel.
    pub(super) fn new() -> Self {
        let executor = GemmExecutor::<u8, i8, i32>::new();
        let limb_bits = if executor.may_saturate() { 7 } else { 8 };
        Self { executor, limb_bits }
    }

    /// The same kernel with other limbs.
    #[cfg(test)]
    pub(super) fn with_limbs(limb_bits: u32) -> Self {
        Self { limb_bits, ..Self::new() }
    }

    /// Bits of a limb.
    #[cfg(test)]
    pub(super) fn limb_bits(&self) -> u32 {
        self.limb_bits
    }

    /// The kernel's name.
    pub(super) fn name(&self) -> &str {
        self.executor.kernel_name()
    }
}

/// A weight matrix and its bias.
pub(super) struct MatMul {
    k: usize,
    n: usize,
    weights: Weights,
    /// What is added to the products of each row: the bias, less what zero and offset stand for.
    constant: Vec<i64>,
}

enum Weights {
    /// For the kernels.
    Packed { packed: PackedBMatrix<i8>, limbs: Limbs },
    /// The same, where one limb and sums of 32 bits do.
    Narrow { packed: PackedBMatrix<i8>, zero_code: u8, bias: Vec<i32> },
    /// For plain loops.
    Plain { weights: Vec<i64>, zero_code: u8 },
}

/// How an input is cut: as the limbs of the unsigned number `x + offset`.
struct Limbs {
    /// Bits of a limb.
    bits: u32,
    /// Number of limbs.
    count: u32,
    /// What makes integers unsigned; 0 for codes.
    offset: i64,
}

impl MatMul {
    /// Lays out the weights of node `index`.
    ///
    /// # Panics
    /// If it is no matmul of a valid `model`.
    pub(super) fn new(gemm: &Int8Gemm, model: &Model, index: usize) -> Self {
        let graph = &model.graph;
        let Op::MatMul { x, zero_code, weights, .. } = &graph.nodes[index].op else {
            unreachable!("node {index} is a matmul");
        };
        let (shape, matrix) = (&graph.weights[*weights], &model.weights[*weights]);
        let (k, n, per_byte) = (shape.k, shape.n, shape.alphabet.per_byte());
        let weight = |at: usize| {
            let (row, column) = (at / n, at % n);
            let byte = matrix.index[column / per_byte * k + row];
            shape.alphabet.decode(byte, column % per_byte, column)
        };
        let narrow: Result<Vec<i8>, _> = (0..k * n).map(|at| weight(at).try_into()).collect();
        let zero_code = *zero_code;
        let mut constant = matrix.bias.clone();
        constant.resize(n, 0);
        let weights = match narrow {
            // A sum of `k` products of a limb stays below 2^31.
            Ok(narrow) if gemm.limb_bits > 0 && k < 1 << 16 => {
                let packed = gemm.executor.prepack_b(NdTensorView::from_data([k, n], &narrow[..]));
                let kind = graph.tensors[*x].kind;
                let limbs = Limbs::new(kind, gemm.limb_bits);
                let small = graph.accumulator_bound(index) <= i128::from(i32::MAX);
                if small && kind == TensorKind::Code && limbs.count == 1 {
                    let bias = constant.iter().map(|&b| b as i32).collect();
                    Weights::Narrow { packed, zero_code, bias }
                } else {
                    let zero = limbs.offset + i64::from(zero_code);
                    for (at, &w) in narrow.iter().enumerate() {
                        let constant = &mut constant[at % n];
                        *constant = constant.wrapping_sub(zero.wrapping_mul(i64::from(w)));
                    }
                    Weights::Packed { packed, limbs }
                }
            }
            _ => {
                let weights = (0..k * n).map(|at| i64::from(weight(at))).collect();
                Weights::Plain { weights, zero_code }
            }
        };
        Self { k, n, weights, constant }
    }

    /// Number of columns of the output.
    pub(super) fn columns(&self) -> usize {
        self.n
    }

    /// The accumulators of `rows` rows.
    pub(super) fn run(&self, gemm: &Int8Gemm, x: &Rows, rows: usize) -> Rows {
        match (&self.weights, x) {
            (Weights::Narrow { packed, zero_code, bias }, Rows::Codes(codes)) => {
                let zeros = vec![*zero_code; rows];
                let zeros = Some(QuantParams { zero_point: &zeros });
                Rows::I32(self.multiply(gemm, codes, zeros, packed, Some(BiasVector::Row(bias))))
            }
            (Weights::Narrow { .. }, _) => unreachable!("its input is codes"),
            (Weights::Packed { packed, limbs }, x) => {
                let products = self.multiply(gemm, &limbs.cut(x), None, packed, None);
                Rows::I64(self.combine(&products, limbs.bits, rows))
            }
            (Weights::Plain { weights, zero_code }, x) => {
                Rows::I64(self.multiply_plainly(x, weights, *zero_code))
            }
        }
    }

    /// `(x - zeros) W + bias` on the kernel.
    fn multiply(
        &self,
        gemm: &Int8Gemm,
        x: &[u8],
        zeros: Option<QuantParams<'_, u8>>,
        packed: &PackedBMatrix<i8>,
        bias: Option<BiasVector<'_, i32>>,
    ) -> Vec<i32> {
        let rows = x.len() / self.k;
        let mut y = vec![0; rows * self.n];
        let a = GemmInputA::Unpacked(NdTensorView::from_data([rows, self.k], x));
        let options = GemmOptions { bias, a_quant: zeros, ..GemmOptions::default() };
        // The shapes agree by construction, and a wrong result is found by comparison.
        let _ = gemm.executor.gemm(&mut y, a, GemmInputB::Packed(packed), options);
        y
    }

    /// The sum of the limbs' products, each at its place, and the constant.
    fn combine(&self, products: &[i32], bits: u32, rows: usize) -> Vec<i64> {
        let mut y = self.constant.repeat(rows);
        for (limb, products) in products.chunks_exact(rows * self.n).enumerate() {
            let shift = limb as u32 * bits;
            for (y, &product) in y.iter_mut().zip(products) {
                // Only the sum has to fit, which it does modulo 2^64.
                *y = y.wrapping_add(i64::from(product).wrapping_shl(shift));
            }
        }
        y
    }

    fn multiply_plainly(&self, x: &Rows, weights: &[i64], zero_code: u8) -> Vec<i64> {
        let mut y = self.constant.repeat(x.len() / self.k);
        x.for_each(|at, x| {
            let (row, k) = (at / self.k, at % self.k);
            let weights = &weights[k * self.n..][..self.n];
            let x = x - i64::from(zero_code);
            for (y, &w) in y[row * self.n..].iter_mut().zip(weights) {
                *y = y.wrapping_add(x.wrapping_mul(w));
            }
        });
        y
    }
}

impl Limbs {
    /// The limbs of `bits` bits of a tensor.
    fn new(kind: TensorKind, bits: u32) -> Self {
        match kind {
            TensorKind::Code => Self { bits, count: 8u32.div_ceil(bits), offset: 0 },
            TensorKind::Integer { bits: width } => {
                Self { bits, count: width.div_ceil(bits), offset: 1 << (width - 1) }
            }
        }
    }

    /// The limbs of all elements, lowest limbs first.
    fn cut(&self, x: &Rows) -> Vec<u8> {
        let mut cut = Vec::with_capacity(self.count as usize * x.len());
        let mask = 0xff >> (8 - self.bits);
        for limb in 0..self.count {
            let shift = limb * self.bits;
            x.for_each(|_, x| cut.push(((x + self.offset) >> shift) as u8 & mask));
        }
        cut
    }
}
