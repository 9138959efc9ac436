//! Softmax along the last dimension: distances from the maximum, and the logarithm of the sum of their exponentials.

use super::WordSoftmax;
use crate::graph::{CodeType, Edges, Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::masked::Mask;
use crate::onnx::rowwise::Rowwise;
use crate::onnx::target::Target;
use crate::onnx::words::Words;
use crate::softmax::Functions;

/// The distance from the maximum that stands for an element that is left out.
const LEFT_OUT: i64 = 255;

/// Softmax of a dequantized tensor along its last dimension.
#[derive(Debug)]
pub(in crate::onnx) struct Softmax {
    pub(in crate::onnx) x: Rowwise,
    /// Scale of the dequantized tensor.
    pub(in crate::onnx) scale: f32,
    /// The type of its codes.
    pub(in crate::onnx) dtype: CodeType,
    /// The runtime has a kernel for it, if the output is of their type.
    pub(in crate::onnx) has_kernel: bool,
    /// The elements that are left out.
    pub(in crate::onnx) mask: Option<Mask>,
}

impl Softmax {
    /// That of the same elements as a tensor of 16 bits.
    pub(super) fn of_words(&self, builder: &mut Builder) -> WordSoftmax {
        let words = Words::of_codes(builder, self.x.name(), self.x.view());
        let (x, mask) = (self.x.of(words.view()), self.mask.clone());
        WordSoftmax { x, words, scale: self.scale / 256.0, mask }
    }

    /// The codes of `e^(x - max) / sum` in `to`.
    pub(in crate::onnx) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let x = &self.x;
        let below = self.below(builder)?;
        let &Target { to, dtype, .. } = target;
        let largest = f64::from(dtype.max()) - f64::from(to.zero_point);
        let of = |output: f64| (output, output * largest);
        // The runtime's kernel, for tensors of one type, has an integer for one over the scale.
        let has_kernel = self.has_kernel && self.dtype == dtype;
        let steps = if has_kernel { (1.0 / to.scale).floor() } else { 0.0 };
        let outputs = match steps >= 1.0 {
            true => of(1.0 / f64::from(steps)),
            false => of(to.scale.into()),
        };
        let left_out = self.mask.is_some().then_some(LEFT_OUT);
        let few = || Functions::new(self.scale.into(), x.length(), left_out, outputs);
        let of = match left_out.is_none() && x.is_one() {
            true => Functions::fine(self.scale.into(), x.length(), outputs).unwrap_or_else(few),
            false => few(),
        };
        let mut terms = vec![(x.elements_of(below), of.distances())];
        for part in 0..of.parts() {
            let summed = vec![(x.elements_of(below), of.exponentials())];
            let name = if of.parts() == 1 { "sum".to_owned() } else { format!("sum{part}") };
            let sum = x.row_codes(builder, &name, summed, of.edges(part))?;
            terms.push((x.broadcast(sum), of.logarithms(part)));
        }
        let (lowest, highest) = target.ends();
        let zero_code = target.zero_code();
        let first = zero_code.clamp(lowest, highest);
        let step = of.outputs(zero_code, first, highest);
        x.codes(builder, "softmax", terms, vec![step])
    }

    /// How far each element is below the largest of its row: 0 to 255, or 0 to 254 and 255 for those that are left out.
    fn below(&self, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let x = &self.x;
        let identity = Edges::clamped();
        let Some(Mask { view, out }) = &self.mask else {
            let most = x.maximum(builder, x.elements())?;
            let terms = vec![
                (x.broadcast(most), Function::table(|code| code)),
                (x.elements(), Function::table(|code| -code)),
            ];
            return x.codes(builder, "below", terms, vec![identity]);
        };
        // What is left out is beyond all codes.
        let out = i64::from(*out);
        let left_out = |by: i64| move |code: i64| if code == out { by } else { 0 };
        let mask = || x.repeated(view);
        let terms = vec![
            (x.elements(), Function::table(|code| code)),
            (mask(), Function::table(left_out(-255))),
        ];
        let kept = x.codes(builder, "kept", terms, vec![identity])?;
        let most = x.maximum(builder, x.elements_of(kept))?;
        let terms = vec![
            (x.broadcast(most), Function::table(|code| code)),
            (x.elements(), Function::table(|code| -code)),
            (mask(), Function::table(left_out(1024))),
        ];
        let least = |code: u8| if i64::from(code) == LEFT_OUT { 512.0 } else { f64::from(code) };
        x.codes(builder, "below", terms, vec![Edges::rising(0, 255, least)])
    }
}
