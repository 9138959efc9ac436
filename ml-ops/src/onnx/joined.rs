//! Two masks at once: what either leaves out is left out, as where a decoder's tokens are padded.

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::value::{Codes, Floats, Scaling};
use super::view::View;
use crate::graph::{CodeType, Edges, Epilogue, Function, TensorKind};

/// Codes of a mask, and which of them stay.
pub(super) struct Side<'a> {
    pub(super) view: &'a View,
    pub(super) kept: &'a dyn Fn(u8) -> bool,
}

/// Codes 1 where both keep an element, and 0; masks are broadcast.
///
/// # Errors
/// [`NodeError::OperandShape`] of operand 1 where their shapes do not fit.
pub(super) fn both(
    builder: &mut Builder,
    name: &str,
    sides: [Side<'_>; 2],
) -> Result<View, NodeError> {
    let [a, b] = [0, 1].map(|side| sides[side].view.shape());
    let wrong = |expected, got| NodeError::OperandShape { index: 1, expected, got };
    if a.len() != b.len() {
        return Err(wrong(a.len(), b.len()));
    }
    let mut pairs = a.iter().zip(&b);
    if let Some((&a, &b)) = pairs.find(|&(&a, &b)| a != b && a != 1 && b != 1) {
        return Err(wrong(a, b));
    }
    let shape: Vec<usize> = a.iter().zip(&b).map(|(&a, &b)| a.max(b)).collect();
    let is_feature = |dim: usize| dim + 1 == shape.len();
    let columns = shape.last().copied().unwrap_or(1);
    let terms = sides.map(|Side { view, kept }| {
        let sizes = shape.iter().enumerate();
        let stretched = sizes.filter(|&(dim, size)| view.size(dim) < *size);
        let view = stretched.fold(view.clone(), |view, (dim, &size)| view.repeated(dim, size));
        let function = Function::table(|code| i64::from(kept(code as u8)));
        (Matrix::laid_out(&view, is_feature), function)
    });
    let epilogue = Epilogue::Edges(vec![Edges { first: 0, edges: [2].into() }]);
    let y = builder.combine(name, columns, terms.into(), TensorKind::Code, epilogue)?;
    builder.take_as_flags(y);
    Ok(View::new(y, &shape, is_feature))
}

/// The zeros and ones that such codes are.
pub(super) fn floats(view: View) -> Floats {
    let images = Box::new(crate::graph::dequantize_table(1.0, 0, CodeType::U8));
    let codes = Codes { view, dtype: CodeType::U8, quantized: false, origin: None };
    let scaling = Scaling { scale: 1.0, zero_point: 0 };
    Floats { codes, scaling, images, pure: false, direct: false, fused: None }
}
