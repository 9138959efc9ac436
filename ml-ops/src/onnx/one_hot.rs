//! One-hot rows of numbers that are hidden: of which element is the largest.

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::view::View;
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind};

/// A tensor that has a row of `vocabulary` codes for each of the numbers seen as `ids`: 1 in the column of that number, 0 in
/// all others. The numbers are those of an ArgMax of `vocabulary` elements at most.
///
/// Number `y` is at least `v` or not, a step of `y` for each `v`; and it is `v` if it is at least that but not `v + 1`.
pub(super) fn one_hot(
    builder: &mut Builder,
    name: &str,
    ids: &View,
    vocabulary: usize,
) -> Result<TensorId, NodeError> {
    let below = builder.numbers_of(ids.tensor);
    if below.is_none_or(|below| below > vocabulary) {
        let expected =
            "numbers of an input, or of an ArgMax of no more elements than the table has rows";
        return Err(NodeError::Operand { index: 1, expected });
    }
    rows(builder, name, ids, vocabulary, |v| v as f64 - 0.5)
}

/// Such a tensor of the numbers seen as `ids`, integers of which number `v` is reached from `least(v)` on: the largest reached of
/// `vocabulary`. Precondition: 0 is reached by all, and `vocabulary` by none.
pub(super) fn rows(
    builder: &mut Builder,
    name: &str,
    ids: &View,
    vocabulary: usize,
    least: impl Fn(usize) -> f64,
) -> Result<TensorId, NodeError> {
    let last = ids.rank();
    let columns = |view: &View| Matrix::laid_out(view, |dim| dim == last);
    let all = vocabulary + 1;
    let repeated = ids.clone().unsqueezed(last).repeated(last, all);
    let edges = (0..all).map(|v| Edges::rising(0, 1, |_| least(v))).collect();
    let is_least = builder.combine(
        &format!("{name}/least"),
        all,
        vec![(columns(&repeated), Function::Times(1))],
        TensorKind::Code,
        Epilogue::Edges(edges),
    )?;
    let shape = [&ids.shape()[..], &[all]].concat();
    let view = View::new(is_least, &shape, |dim| dim == last);
    let from = |first: usize| {
        let view = view.clone().sliced(last, first, 1, vocabulary);
        Ok::<_, NodeError>(columns(&view.ok_or(NodeError::NoView { index: 1 })?))
    };
    let terms =
        vec![(from(0)?, Function::table(|code| code)), (from(1)?, Function::table(|code| -code))];
    let name = format!("{name}/one_hot");
    let is_one = Epilogue::Edges(vec![Edges::rising(0, 1, f64::from)]);
    builder.combine(&name, vocabulary, terms, TensorKind::Code, is_one)
}
