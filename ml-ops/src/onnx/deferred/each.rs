//! A tensor whose floats are a function of its codes for each index of some of its dimensions.

use super::after::{self, After};
use super::{ExactTerm, Product};
use crate::array::{Array, ArrayData};
use crate::graph::{Edges, Epilogue, Function, OutputTransform, TensorId, TensorKind};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::fine::Digits;
use crate::onnx::matrix::Matrix;
use crate::onnx::multiplied;
use crate::onnx::operands::{self, Layout, codes_of, of_column, one_if_alike};
use crate::onnx::rowwise::part;
use crate::onnx::steps;
use crate::onnx::target::Target;
use crate::onnx::value::{Codes, Floats, MatMulOperands, Scaling, Weights};
use crate::onnx::view::View;
use std::rc::Rc;

/// A dequantized tensor of several scales, or one of a scale to which something is done by index.
#[derive(Debug)]
pub(in crate::onnx) struct Each {
    name: String,
    codes: Codes,
    /// The dimensions that functions depend on.
    varies: Vec<bool>,
    images: Images,
}

/// The floats of codes.
#[derive(Debug)]
enum Images {
    /// By a scale and zero point for each index of the dimensions that vary, the last fastest.
    Scaled(Vec<Scaling>),
    /// The same for all indices.
    Of(Box<[f32; 256]>),
}

impl Each {
    /// `codes` with the scales in `scales` (operand 1) and zero points (operand 2): for each index of dimension `dim`, or,
    /// where there is a block, for each block of so many elements along it.
    pub(in crate::onnx) fn new(
        name: &str,
        codes: &Codes,
        (scales, of_scales): (&[f32], &[usize]),
        zero_points: Option<&Array>,
        (dim, block): (usize, usize),
    ) -> Result<Self, NodeError> {
        let wrong = |index, expected, got| NodeError::OperandShape { index, expected, got };
        let shape = codes.view.shape();
        // Without blocks a scale is one of the dimension alone. The scales of all samples are the same.
        let (block, of_scales) = match block {
            0 => {
                let mut all = vec![1; shape.len()];
                all[dim] = scales.len();
                (1, all)
            }
            _ => match of_scales {
                [1, sample @ ..] if sample.len() == shape.len() => (block, sample.to_vec()),
                _ => return Err(wrong(1, shape.len() + 1, of_scales.len())),
            },
        };
        for (at, (&size, &got)) in shape.iter().zip(&of_scales).enumerate() {
            let expected = if at == dim { size.div_ceil(block) } else { size };
            if got != expected && (got != 1 || at == dim) {
                return Err(wrong(1, expected, got));
            }
        }
        let zeros = match zero_points {
            None => vec![codes.zero_code(0); scales.len()],
            Some(zeros) => {
                let found = codes_of(zeros).filter(|(_, dtype)| *dtype == codes.dtype);
                found.ok_or(NodeError::OperandType { index: 2 })?.0
            }
        };
        if zeros.len() != scales.len() {
            return Err(wrong(2, scales.len(), zeros.len()));
        }
        let varies: Vec<bool> = of_scales.iter().map(|&size| size > 1).collect();
        let sizes = shape.iter().zip(&varies).map(|(&size, &varies)| if varies { size } else { 1 });
        let sizes: Vec<usize> = sizes.collect();
        let scaling = |index: usize| {
            let (mut rest, mut number, mut stride) = (index, 0, 1);
            for (at, (&size, &blocks)) in sizes.iter().zip(&of_scales).enumerate().rev() {
                let place = rest % size;
                rest /= size;
                number += stride * if at == dim { place / block } else { place };
                stride *= blocks;
            }
            let zero_point = i32::from(zeros[number]) + codes.dtype.min();
            Scaling { scale: scales[number], zero_point }
        };
        let scalings = (0..sizes.iter().product()).map(scaling).collect();
        let images = Images::Scaled(scalings);
        Ok(Self { name: name.to_owned(), codes: codes.clone(), varies, images })
    }

    /// `floats`, to which something will be done for each index of the dimensions that `varies` says.
    pub(in crate::onnx) fn of(name: &str, floats: &Floats, varies: Vec<bool>) -> Self {
        let images = match floats.pure {
            true => Images::Scaled(vec![floats.scaling]),
            false => Images::Of(floats.images.clone()),
        };
        Self { name: name.to_owned(), codes: floats.codes.clone(), varies, images }
    }

    /// Indices of the dimensions that functions depend on.
    pub(in crate::onnx) fn columns(&self) -> usize {
        let dims = (0..self.varies.len()).filter(|&dim| self.varies[dim]);
        dims.map(|dim| self.codes.view.size(dim)).product()
    }

    /// The float of a code at an index.
    pub(super) fn image(&self, column: usize, code: u8) -> f32 {
        match &self.images {
            Images::Of(images) => images[usize::from(code)],
            Images::Scaled(scalings) => {
                let from = of_column(scalings, column);
                let value = i32::from(code) + self.codes.dtype.min() - from.zero_point;
                value as f32 * from.scale
            }
        }
    }

    /// The floats after affine functions of each index, seen as `view`, as summands of integers: products with factors at one
    /// scale, of 8 bits where they are multiples of one number and nothing is added, and of 24 where not.
    pub(super) fn summands(&self, after: &[After], view: &View) -> Option<Vec<ExactTerm>> {
        let Images::Scaled(scalings) = &self.images else { return None };
        let [Scaling { scale, zero_point }] = scalings[..] else { return None };
        let columns = self.columns();
        let of_columns = after::affine(after, columns)?;
        let factors: Vec<f64> = of_columns.iter().map(|(factor, _)| *factor).collect();
        let x = Matrix::laid_out(&self.codes.view, |dim| self.varies[dim]);
        let zero_code = self.codes.zero_code(zero_point);
        let product = |weights: &Weights| {
            let (name, x, weights) = (self.name.clone(), x.clone(), weights.clone());
            let (reach, bias, groups) = (None, vec![], columns);
            MatMulOperands { name, x, zero_code, reach, weights, bias, groups }
        };
        let shape = [1, columns];
        // What is added could lie between multiples.
        let is_scaled = of_columns.iter().all(|(_, summand)| *summand == 0.0);
        if let Some((multiples, unit)) = multiples(&factors).filter(|_| is_scaled) {
            let multiples = Array::new(shape.to_vec(), ArrayData::I8(multiples)).ok()?;
            let weights = operands::weights(&multiples, None, Layout::Columns, 1, 1).ok()?;
            let scales = vec![(f64::from(scale) * unit) as f32];
            let product = Rc::new(Product { matmul: product(&weights), scales });
            return Some(vec![ExactTerm::product(&product, &[], view)?]);
        }
        let bias = of_columns.iter().map(|(_, summand)| *summand).collect();
        let digits = Digits::of(&shape, &factors, 0).ok()?;
        let fine = digits.weights(Layout::Columns, |_| Ok(bias)).ok()?;
        fine.terms(&product(fine.first()), scale.into(), view).ok()
    }

    /// The codes, and the scale and the code of zero of each channel, the first dimension, if floats depend on that alone.
    pub(in crate::onnx) fn channels(&self) -> Option<(&View, Vec<(f32, u8)>)> {
        let Images::Scaled(scalings) = &self.images else { return None };
        let (first, rest) = self.varies.split_first()?;
        let of = |channel| {
            let Scaling { scale, zero_point } = of_column(scalings, channel);
            (scale, self.codes.zero_code(zero_point))
        };
        let is_by_channel = *first && !rest.contains(&true);
        is_by_channel.then(|| (&self.codes.view, (0..self.columns()).map(of).collect()))
    }

    /// How the tensor of codes that is made is seen.
    pub(in crate::onnx) fn output(&self) -> View {
        View::new(0, &self.codes.view.shape(), |dim| self.varies[dim])
    }

    /// The codes at one scale, after what has been done to the floats: a step for each index, of the codes or of what is
    /// left to the largest.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let code = |column: usize, code: i64| {
            let float = self.image(column, code.clamp(0, 255) as u8);
            target.code(after::value(after, column, float))
        };
        let made = self.stepped(builder, &self.name, code);
        let (Err(NodeError::NotMonotone { .. }), Some(turn)) = (&made, self.turn(&code)) else {
            return made;
        };
        // Either side of where the functions turn around, the other having the code that all have there.
        let least = code(0, turn);
        let sides = [
            self.stepped(builder, &part(&self.name, "above"), |column, x| {
                code(column, x.max(turn))
            })?,
            self.stepped(builder, &part(&self.name, "below"), |column, x| {
                code(column, x.min(turn))
            })?,
        ];
        let output = self.output();
        let read = |tensor| Matrix::laid_out(&output.on(tensor), |dim| self.varies[dim]);
        let offset = |less: i64| Function::table(move |code| code - less);
        let terms = vec![(read(sides[0]), offset(0)), (read(sides[1]), offset(i64::from(least)))];
        let (columns, kind) = (self.columns(), TensorKind::Code);
        let epilogue = Epilogue::Edges(vec![Edges::clamped()]);
        builder.combine(&self.name, columns, terms, kind, epilogue)
    }

    /// The codes that `code` makes of an index's codes: a step of them where all rise or fall, or else what they rise by in all up to
    /// one less what they fall by.
    pub(super) fn codes(
        &self,
        builder: &mut Builder,
        code: &dyn Fn(usize, u8) -> u8,
    ) -> Result<TensorId, NodeError> {
        let made =
            self.stepped(builder, &self.name, |column, x| code(column, x.clamp(0, 255) as u8));
        if !matches!(made, Err(NodeError::NotMonotone { .. })) {
            return made;
        }
        let columns = self.columns();
        let moves = |column: usize, up: bool| -> Result<[u8; 256], NodeError> {
            let (mut moved, mut all) = (0u8, [0; 256]);
            for at in 1..=255u8 {
                let pair = [code(column, at - 1), code(column, at)];
                let [from, to] = if up { pair } else { [pair[1], pair[0]] };
                let more = moved.checked_add(to.saturating_sub(from));
                moved = more.ok_or(NodeError::NotMonotone { column })?;
                all[usize::from(at)] = moved;
            }
            Ok(all)
        };
        let mut side = |name: &str, up: bool| {
            let all = (0..columns).map(|column| moves(column, up));
            let all = all.collect::<Result<Vec<_>, _>>()?;
            let at = |column: usize, x: i64| all[column][x.clamp(0, 255) as usize];
            self.stepped(builder, &part(&self.name, name), at)
        };
        let (up, down) = (side("rising", true)?, side("falling", false)?);
        let output = self.output();
        let read = |tensor| Matrix::laid_out(&output.on(tensor), |dim| self.varies[dim]);
        let terms = vec![
            (read(up), Function::table(|code| code)),
            (read(down), Function::table(|code| -code)),
        ];
        let from = |column: usize| {
            let first = i64::from(code(column, 0));
            Edges { first: 0, edges: (1..256).map(|code| code - first).collect() }
        };
        let epilogue = Epilogue::Edges(one_if_alike((0..columns).map(from).collect()));
        builder.combine(&self.name, columns, terms, TensorKind::Code, epilogue)
    }

    /// A code at which all functions give the same, and on either side of which they are monotone.
    fn turn(&self, code: &impl Fn(usize, i64) -> u8) -> Option<i64> {
        let Images::Scaled(scalings) = &self.images else { return None };
        let [Scaling { zero_point, .. }] = scalings[..] else { return None };
        let turn = i64::from(self.codes.zero_code(zero_point));
        let all = code(0, turn);
        (0..self.columns()).all(|column| code(column, turn) == all).then_some(turn)
    }

    /// The codes that `code` makes of a column's codes: a step for each, which rises or falls.
    fn stepped(
        &self,
        builder: &mut Builder,
        name: &str,
        code: impl Fn(usize, i64) -> u8,
    ) -> Result<TensorId, NodeError> {
        let columns = self.columns();
        let falls: Vec<bool> =
            (0..columns).map(|column| code(column, 0) > code(column, 255)).collect();
        let step = |column: usize| {
            let sign = if falls[column] { -1 } else { 1 };
            let monotone = (1..256).all(|at| {
                let (before, this) = (code(column, at - 1), code(column, at));
                if falls[column] { before >= this } else { before <= this }
            });
            let edges = steps::edges(255, |acc| code(column, sign * acc));
            edges.filter(|_| monotone).ok_or(NodeError::NotMonotone { column })
        };
        let edges = one_if_alike((0..columns).map(step).collect::<Result<_, _>>()?);
        let is_feature = |dim: usize| self.varies[dim];
        let matrix = Matrix::laid_out(&self.codes.view, is_feature);
        if !falls.contains(&true) {
            let terms = vec![(matrix, Function::table(|code| code))];
            let epilogue = Epilogue::Edges(edges);
            return builder.combine(name, columns, terms, TensorKind::Code, epilogue);
        }
        // A factor of 1 or -1 for each index, less 1 as a code.
        let mut shape = self.codes.view.shape();
        for (size, &varies) in shape.iter_mut().zip(&self.varies) {
            *size = if varies { *size } else { 1 };
        }
        let signs: Vec<u8> = falls.iter().map(|&falls| if falls { 0 } else { 2 }).collect();
        let beside = View::new(0, &shape, is_feature);
        let mut signs = builder.constant(&part(name, "signs"), &beside, &shape, &signs);
        for (dim, size) in self.codes.view.shape().into_iter().enumerate() {
            if !self.varies[dim] {
                signs = signs.repeated(dim, size);
            }
        }
        let signs = Matrix::laid_out(&signs, is_feature);
        multiplied::multiply(builder, name, columns, [&matrix, &signs], [0, 1], edges)
    }

    /// The values less their zero points, each element a feature, and the floats that they are; `None` if more was done
    /// to them than one addition.
    pub(super) fn affine(
        &self,
        builder: &mut Builder,
        after: &[After],
    ) -> Result<Option<(View, OutputTransform)>, NodeError> {
        let Images::Scaled(of_columns) = &self.images else { return Ok(None) };
        let summands = match after {
            [] => vec![0.0],
            [after] => match after.summand() {
                Some(summands) => summands.to_vec(),
                None => return Ok(None),
            },
            _ => return Ok(None),
        };
        let shape = self.codes.view.shape();
        let elements: usize = shape.iter().product();
        let column = |at: usize| {
            let (mut rest, mut number, mut stride) = (at, 0, 1);
            for (&size, &varies) in shape.iter().zip(&self.varies).rev() {
                if varies {
                    number += stride * (rest % size);
                    stride *= size;
                }
                rest /= size;
            }
            number
        };
        let scalings: Vec<Scaling> =
            (0..elements).map(|at| of_column(of_columns, column(at))).collect();
        let zeros: Vec<u8> =
            scalings.iter().map(|scaling| self.codes.zero_code(scaling.zero_point)).collect();
        let flat = View::new(0, &shape, |_| true);
        let zeros = builder.constant(&part(&self.name, "zeros"), &flat, &shape, &zeros);
        let terms = vec![
            (Matrix::laid_out(&self.codes.view, |_| true), Function::table(|code| code)),
            (Matrix::laid_out(&zeros, |_| true), Function::table(|code| -code)),
        ];
        // -255 to 255.
        let kind = TensorKind::Integer { bits: 9 };
        let y = builder.combine(&self.name, elements, terms, kind, Epilogue::Accumulator)?;
        let scales = scalings.iter().map(|scaling| scaling.scale).collect();
        let offsets = (0..elements).map(|at| of_column(&summands, column(at))).collect();
        Ok(Some((flat.on(y), OutputTransform::Affine { scales, offsets })))
    }
}

/// Numbers as integers of 8 bits and what 1 stands for, if a part of the least of them divides all as nearly as 24 bits do.
fn multiples(numbers: &[f64]) -> Option<(Vec<i8>, f64)> {
    let sizes = || numbers.iter().map(|number| number.abs());
    let least = sizes().filter(|size| *size > 0.0).fold(f64::INFINITY, f64::min);
    let off = sizes().fold(0.0, f64::max) / f64::from(1u32 << 24);
    let last = f64::from(i8::MAX);
    (1..=i8::MAX).map(|parts| least / f64::from(parts)).find_map(|unit| {
        let multiple = |number: &f64| {
            let times = (number / unit).round_ties_even();
            (times.abs() <= last && (times * unit - number).abs() <= off).then_some(times as i8)
        };
        let multiples = numbers.iter().map(multiple).collect::<Option<_>>()?;
        Some((multiples, unit)).filter(|_| unit.is_normal())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiples_of_a_part_of_the_least() {
        assert_eq!(multiples(&[1.0, -1.5, 0.0]), Some((vec![2, -3, 0], 0.5)));
        // Of a third and a seventh of one, as floats have them.
        let [third, seventh] = [1.0f32 / 3.0, 1.0 / 7.0].map(f64::from);
        let (found, unit) = multiples(&[third, 1.0, seventh]).unwrap();
        assert_eq!(found, [7, 21, 3]);
        assert!((unit * 21.0 - 1.0).abs() < 1e-7);
        assert_eq!(multiples(&[1.0, 127.0]), Some((vec![1, 127], 1.0)));
        for numbers in [&[1.0, 128.0][..], &[1.0, std::f64::consts::SQRT_2], &[0.0], &[f64::NAN]] {
            assert_eq!(multiples(numbers), None, "{numbers:?}");
        }
    }
}
