//! A sum divided by how many elements of a mask are ones, as the mean over the tokens that there are.

use super::{Average, Deferred, Kind};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind, signed_bits};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::heads;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::part;
use crate::onnx::target::Target;
use crate::onnx::view::View;
use std::rc::Rc;

/// What one over one is.
const ONE: i64 = 1 << 30;

/// Sums of each sample divided by the number of ones in an input; nothing where there is none.
#[derive(Debug)]
pub(in crate::onnx) struct Quotient {
    name: String,
    sum: Rc<Average>,
    /// The input's zeros and ones, in one row.
    ones: Matrix,
    /// What a one is as a float.
    one: f64,
}

impl Quotient {
    /// `sum` over `count`, a sum of an input's zeros and ones that is bounded from below by one of them at most; `None` if they
    /// are something else.
    pub(in crate::onnx) fn of(
        builder: &Builder,
        name: &str,
        sum: &Deferred,
        count: &Deferred,
    ) -> Option<Self> {
        let (Kind::Average(of), Kind::Average(by)) = (&sum.kind, &count.kind) else { return None };
        let plain = sum.is_unbounded() && sum.after.is_empty() && of.x.size().0 == 1;
        let one = by.of_one()?;
        let bounded = f64::from(count.low) <= one && count.high == f32::INFINITY;
        let is_count = bounded && count.pools.is_empty() && count.after.is_empty();
        let numbers = builder.is_of_numbers(by.x.view.tensor);
        let (shape, of_count) = (sum.view.shape(), count.view.shape());
        let fits = shape == of_count || count.view.elements() == 1;
        if !(plain && is_count && numbers && fits) {
            return None;
        }
        // One count for all sums of a sample.
        let (kept, taps) = by.kept_and_taps();
        if kept.iter().any(|digit| digit.size > 1 && digit.axis.is_some()) {
            return None;
        }
        let ones = Matrix { rows: vec![], cols: taps, view: by.x.view.clone(), pad: None };
        Some(Self { name: name.to_owned(), sum: of.clone(), ones, one })
    }

    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let reciprocal = self.reciprocal(builder)?;
        let sums = self.sum.sums(builder, &part(&self.name, "sum"))?;
        let columns = self.sum.columns;
        let row = |view: View| {
            let cols = view.digits(0);
            Matrix { rows: vec![], cols, view, pad: None }
        };
        let sums = row(View::new(sums, &[columns], |_| true));
        let over = row(View::new(reciprocal, &[1], |_| true).repeated(0, columns));
        let zero = f64::from(target.zero_code());
        let scale = self.sum.scale() / (self.sum.count as f64 * self.one * ONE as f64);
        let (lowest, highest) = target.ends();
        let edges = Edges::rising(lowest, highest, |code| {
            (f64::from(code) - 0.5 - zero) * f64::from(target.to.scale) / scale
        });
        let epilogue = Epilogue::Edges(vec![edges]);
        heads::products(builder, &self.name, [&sums, &over], TensorKind::Code, epilogue)
    }

    /// One over the number of ones: the number in codes of 255 each, of which tables are added up.
    fn reciprocal(&self, builder: &mut Builder) -> Result<TensorId, NodeError> {
        let most = self.ones.size().1;
        let over = |count: i64| match count {
            0 => 0,
            count => (ONE as f64 / count as f64).round_ties_even() as i64,
        };
        let mut terms = Vec::with_capacity(most.div_ceil(255));
        for first in (0..most).step_by(255) {
            let ones = vec![(self.ones.clone(), Function::table(|code| i64::from(code == 1)))];
            let edges = Edges::rising(0, 255, |code| first as f64 + f64::from(code));
            let epilogue = Epilogue::Edges(vec![edges]);
            let name = part(&self.name, &format!("count{}", first / 255));
            let count = builder.combine(&name, 1, ones, TensorKind::Code, epilogue)?;
            let (first, before) = (first as i64, over(first as i64));
            let table = Function::table(move |code| over(first + code) - before);
            let view = View::new(count, &[1], |_| true);
            let cols = view.digits(0);
            terms.push((Matrix { rows: vec![], cols, view, pad: None }, table));
        }
        let kind = TensorKind::Integer { bits: signed_bits(ONE) };
        builder.combine(&part(&self.name, "over"), 1, terms, kind, Epilogue::Accumulator)
    }
}
