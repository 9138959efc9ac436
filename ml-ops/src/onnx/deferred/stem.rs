//! Floats of which a function can be taken before codes are made: those whose codes are a step of integers.

use super::{Exact, Kind};
use std::rc::Rc;

/// The ends between which floats lie of which a rising function can be made codes of, before operations with constants; `None`
/// of others.
pub(super) fn ends(kind: &Kind) -> Option<[f32; 2]> {
    let [low, high] = match kind {
        Kind::Tensors(product) => product.ends()?,
        Kind::WordTensors(product) => product.ends()?,
        Kind::Elementwise(product) => product.ends(),
        Kind::Factored(product) => product.ends(),
        Kind::Sum(sum) => sum.ends(),
        Kind::Average(average) => average.ends(),
        Kind::SumAverage(average) => average.ends(),
        Kind::Exact(sum) => exact(sum),
        Kind::Summed(sums) => sums.ends(),
        Kind::Wide(product) => product.ends(),
        Kind::Interpolation(of) => of.ends()?,
        _ => return None,
    };
    (low.is_finite() && high.is_finite() && low <= high).then_some([low, high])
}

/// Whether both are the same floats.
pub(super) fn is_same(a: &Kind, b: &Kind) -> bool {
    match (a, b) {
        (Kind::Product(a), Kind::Product(b)) => Rc::ptr_eq(a, b),
        (Kind::Each(a), Kind::Each(b)) => Rc::ptr_eq(a, b),
        (Kind::Tensors(a), Kind::Tensors(b)) => Rc::ptr_eq(a, b),
        (Kind::WordTensors(a), Kind::WordTensors(b)) => Rc::ptr_eq(a, b),
        (Kind::Elementwise(a), Kind::Elementwise(b)) => Rc::ptr_eq(a, b),
        (Kind::Factored(a), Kind::Factored(b)) => Rc::ptr_eq(a, b),
        (Kind::Sum(a), Kind::Sum(b)) => Rc::ptr_eq(a, b),
        (Kind::Average(a), Kind::Average(b)) => Rc::ptr_eq(a, b),
        (Kind::SumAverage(a), Kind::SumAverage(b)) => Rc::ptr_eq(a, b),
        (Kind::Exact(a), Kind::Exact(b)) => Rc::ptr_eq(a, b),
        (Kind::Summed(a), Kind::Summed(b)) => Rc::ptr_eq(a, b),
        (Kind::Wide(a), Kind::Wide(b)) => Rc::ptr_eq(a, b),
        (Kind::Interpolation(a), Kind::Interpolation(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}

/// The name of the node.
pub(super) fn name(kind: &Kind) -> &str {
    match kind {
        Kind::Tensors(product) => product.heads.name(),
        Kind::WordTensors(product) => product.heads.name(),
        Kind::Elementwise(product) => &product.name,
        Kind::Factored(product) => &product.name,
        Kind::Sum(sum) => &sum.name,
        Kind::Average(average) => &average.name,
        Kind::SumAverage(average) => &average.name,
        Kind::Exact(sum) => &sum.name,
        Kind::Summed(sums) => &sums.name,
        Kind::Wide(product) => &product.name,
        Kind::Interpolation(of) => &of.name,
        _ => "",
    }
}

/// The ends of a sum.
pub(super) fn exact(sum: &Exact) -> [f32; 2] {
    let most = sum.terms.iter().map(|term| term.scale.abs() * term.size());
    // Scales are multiples of a unit, by which a sum is off by part of a code.
    let most = most.sum::<f64>() * 1.01;
    [-most as f32, most as f32]
}

/// The ends of products of what lies between others.
pub(super) fn product([a, b]: [[f32; 2]; 2]) -> [f32; 2] {
    let all = a.iter().flat_map(|a| b.iter().map(move |b| a * b));
    all.fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], x| [low.min(x), high.max(x)])
}

/// The largest of floats in size, above zero.
pub(super) fn most<'a>(floats: impl Iterator<Item = &'a f32>) -> f32 {
    floats.fold(f32::MIN_POSITIVE, |most, x| most.max(x.abs()))
}

/// The least and the largest of the floats that codes stand for.
pub(super) fn of_codes(images: &[f32; 256]) -> [f32; 2] {
    images
        .iter()
        .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], &x| [low.min(x), high.max(x)])
}
