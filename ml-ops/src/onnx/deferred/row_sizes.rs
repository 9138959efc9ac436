//! What normalizations make of rows: sums, and exact variances.

use crate::graph::{Function, TensorId};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads;
use crate::onnx::rowwise::Rowwise;

/// The sum of each row's codes.
pub(super) fn sum(x: &Rowwise, builder: &mut Builder) -> Result<TensorId, NodeError> {
    let terms = vec![(x.elements(), Function::table(|code| code))];
    x.row_integers(builder, "sum", terms, 255 * x.length() as i64)
}

/// The number of a row's elements times the sum of their squares, less the square of their sum: elements have `2 / bits` bits
/// each.
pub(super) fn variance(
    x: &Rowwise,
    builder: &mut Builder,
    squares: TensorId,
    sum: TensorId,
    bits: u32,
) -> Result<TensorId, NodeError> {
    let n = x.length() as i64;
    let of_sum = heads::squares(builder, &x.part("square"), &x.view_of_rows(sum))?;
    let terms =
        vec![(x.rows_of(squares), Function::Times(n)), (x.read_rows(&of_sum), Function::Times(-1))];
    x.row_integers(builder, "variance", terms, n * (n << bits))
}
