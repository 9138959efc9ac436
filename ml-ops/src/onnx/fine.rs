//! Weights that are floats, as integers of 24 bits in three digits: three products, whose sum is rounded once.

use super::deferred::{Addend, Deferred, Exact, ExactTerm, Kind, Product};
use super::error::NodeError;
use super::operands::{self, Layout};
use super::value::{MatMulOperands, Value, Weights};
use super::view::View;
use crate::array::{Array, ArrayData};
use std::rc::Rc;

/// Bits of an integer besides its sign.
const BITS: u32 = 23;

/// How large a bias may be, in units of the last digit's products.
const LARGEST_BIAS: f64 = 1e18;

/// How much a digit counts, the first the largest.
const FACTORS: [i64; 3] = [1 << 16, 1 << 8, 1];

/// Weights in digits, and a bias.
#[derive(Debug)]
pub(super) struct Fine {
    digits: [Weights; 3],
    /// What an integer 1 stands for.
    unit: f64,
    /// In floats, one for each column, or none.
    bias: Vec<f64>,
}

/// Numbers as integers of 24 bits at a scale, in digits: the first from -128 on, the others from 0 to 255.
pub(super) struct Digits {
    pub(super) arrays: [Array; 3],
    unit: f64,
}

impl Digits {
    /// Finite `values` in the shape `shape`; operand `index`.
    pub(super) fn of(shape: &[usize], values: &[f64], index: usize) -> Result<Self, NodeError> {
        if let Some(&value) = values.iter().find(|value| !value.is_finite()) {
            return Err(NodeError::NotOnGrid { index, value: value as f32 });
        }
        let most = values.iter().fold(0.0f64, |most, value| most.max(value.abs()));
        let last = (1i64 << BITS) - 1;
        let unit = if most > 0.0 { most / last as f64 } else { 1.0 };
        let bytes = values.iter().map(|value| {
            let integer = (value / unit).round_ties_even() as i64;
            ((integer.clamp(-last, last) + (1 << BITS)) as u32).to_be_bytes()
        });
        let bytes: Vec<[u8; 4]> = bytes.collect();
        let digit = |at: usize| bytes.iter().map(|bytes| bytes[at + 1]).collect::<Vec<u8>>();
        let first = digit(0).into_iter().map(|byte| (byte ^ 0x80) as i8).collect();
        let data = [ArrayData::I8(first), ArrayData::U8(digit(1)), ArrayData::U8(digit(2))];
        let array = |data: ArrayData| {
            let got = data.len();
            let expected = shape.iter().product();
            let wrong = NodeError::OperandShape { index, expected, got };
            Array::new(shape.to_vec(), data).map_err(|_| wrong)
        };
        let [a, b, c] = data.map(array);
        Ok(Self { arrays: [a?, b?, c?], unit })
    }

    /// Those of a constant of floats, operand `index`.
    pub(super) fn of_array(array: &Array, index: usize) -> Result<Self, NodeError> {
        let ArrayData::F32(values) = array.data() else {
            return Err(NodeError::OperandType { index });
        };
        let values: Vec<f64> = values.iter().map(|&value| value.into()).collect();
        Self::of(array.shape(), &values, index)
    }

    /// The weight matrices that the digits are, operand 1, beside what `bias` gives for their columns: one float for each, or none.
    pub(super) fn weights(
        &self,
        layout: Layout,
        bias: impl FnOnce(usize) -> Result<Vec<f64>, NodeError>,
    ) -> Result<Fine, NodeError> {
        let of = |array: &Array| operands::weights(array, None, layout, 1, 1);
        let [a, b, c] = &self.arrays;
        let digits = [of(a)?, of(b)?, of(c)?];
        let bias = bias(digits[0].n)?;
        if let Some(&value) = bias.iter().find(|value| !value.is_finite()) {
            return Err(NodeError::NotOnGrid { index: 2, value: value as f32 });
        }
        Ok(Fine { digits, unit: self.unit, bias })
    }

    /// The same digits in other arrays.
    pub(super) fn map(
        &self,
        change: impl Fn(&Array) -> Result<Array, NodeError>,
    ) -> Result<Self, NodeError> {
        let [a, b, c] = &self.arrays;
        Ok(Self { arrays: [change(a)?, change(b)?, change(c)?], unit: self.unit })
    }
}

impl Fine {
    /// The digits that count most.
    pub(super) fn first(&self) -> &Weights {
        &self.digits[0]
    }

    /// What `matmul` reads, at `scale`, times the weights, seen as `view`.
    pub(super) fn terms(
        &self,
        matmul: &MatMulOperands,
        scale: f64,
        view: &View,
    ) -> Result<Vec<ExactTerm>, NodeError> {
        let scale = scale * self.unit;
        let biases = self.bias.iter().map(|bias| operands::units(*bias, scale, LARGEST_BIAS));
        let biases = biases.collect::<Result<Vec<i64>, _>>()?;
        let rest = |column: usize, factor: i64| {
            let units = operands::of_column(&biases, column);
            match factor {
                1 => units.rem_euclid(FACTORS[0]),
                _ => units.div_euclid(factor),
            }
        };
        let term = |(weights, factor): (&Weights, i64)| {
            // The bias is in the first digit's product, what is left of it in the last one's.
            let bias = match factor {
                _ if biases.is_empty() || factor == FACTORS[1] => vec![],
                _ => (0..weights.n).map(|column| rest(column, factor)).collect(),
            };
            let matmul = MatMulOperands {
                name: super::rowwise::part(&matmul.name, &format!("times{factor}")),
                weights: weights.clone(),
                bias,
                ..matmul.clone()
            };
            let scale = scale * factor as f64;
            let product = Rc::new(Product { matmul, scales: vec![scale as f32] });
            let of = Addend::Product { product, after: vec![], view: view.clone(), fine: true };
            ExactTerm { of, scale }
        };
        Ok(self.digits.iter().zip(FACTORS).map(term).collect())
    }

    /// The product of `matmul`, at `scale`, which a QuantizeLinear will make codes of.
    pub(super) fn deferred(
        &self,
        matmul: &MatMulOperands,
        scale: f64,
        view: &View,
    ) -> Result<Value, NodeError> {
        let sum = Exact::new(&matmul.name, self.terms(matmul, scale, view)?)?;
        let output = sum.layout.clone();
        Ok(Value::Deferred(Deferred::new(Kind::Exact(Rc::new(sum)), output)))
    }
}
