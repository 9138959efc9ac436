//! A tensor that is dequantized with a scale for each index of some of its dimensions.

use crate::array::Array;
use crate::graph::{Epilogue, Function, OutputTransform, TensorId, TensorKind};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::operands::codes_of;
use crate::onnx::steps;
use crate::onnx::value::{Codes, Scaling, Target};
use crate::onnx::view::View;

/// A dequantized tensor of several scales.
#[derive(Debug)]
pub(in crate::onnx) struct Each {
    name: String,
    codes: Codes,
    /// The dimensions that scales depend on.
    varies: Vec<bool>,
    /// One for each index of these, the last fastest.
    scalings: Vec<Scaling>,
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
        Ok(Self { name: name.to_owned(), codes: codes.clone(), varies, scalings })
    }

    /// How the tensor of codes that is made is seen.
    pub(in crate::onnx) fn output(&self) -> View {
        View::new(0, &self.codes.view.shape(), |dim| self.varies[dim])
    }

    /// The codes at one scale: a step for each index.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let least = i64::from(self.codes.dtype.min());
        let step = |(column, from): (usize, &Scaling)| {
            let code = |code: i64| {
                let value = code.clamp(0, 255) + least - i64::from(from.zero_point);
                target.code(value as f32 * from.scale)
            };
            steps::edges(255, code).ok_or(NodeError::NotMonotone { column })
        };
        let edges = self.scalings.iter().enumerate().map(step).collect::<Result<_, _>>()?;
        let matrix = Matrix::laid_out(&self.codes.view, |dim| self.varies[dim]);
        let (columns, terms) = (self.scalings.len(), vec![(matrix, Function::table(|code| code))]);
        builder.combine(&self.name, columns, terms, TensorKind::Code, Epilogue::Edges(edges))
    }

    /// The values less their zero points, each element a feature, and the floats that they are.
    pub(super) fn affine(
        &self,
        builder: &mut Builder,
    ) -> Result<(View, OutputTransform), NodeError> {
        let shape = self.codes.view.shape();
        let elements: usize = shape.iter().product();
        let scaling = |at: usize| {
            let (mut rest, mut number, mut stride) = (at, 0, 1);
            for (&size, &varies) in shape.iter().zip(&self.varies).rev() {
                if varies {
                    number += stride * (rest % size);
                    stride *= size;
                }
                rest /= size;
            }
            self.scalings[number]
        };
        let scalings: Vec<Scaling> = (0..elements).map(scaling).collect();
        let zeros: Vec<u8> =
            scalings.iter().map(|scaling| self.codes.zero_code(scaling.zero_point)).collect();
        let flat = View::new(0, &shape, |_| true);
        let zeros = builder.constant(&format!("{}/zeros", self.name), &flat, &shape, &zeros);
        let terms = vec![
            (Matrix::laid_out(&self.codes.view, |_| true), Function::table(|code| code)),
            (Matrix::laid_out(&zeros, |_| true), Function::table(|code| -code)),
        ];
        // -255 to 255.
        let kind = TensorKind::Integer { bits: 9 };
        let y = builder.combine(&self.name, elements, terms, kind, Epilogue::Accumulator)?;
        let scales = scalings.iter().map(|scaling| scaling.scale).collect();
        let transform = OutputTransform::Affine { scales, offsets: vec![0.0; elements] };
        Ok((flat.on(y), transform))
    }
}
