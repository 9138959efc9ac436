//! A function of each of a matmul's or convolution's floats that no QuantizeLinear comes before.

use super::after::{self, After};
use super::{Deferred, Kind, Product};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind};
use crate::onnx::arithmetic::Operation;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::operands::{of_column, one_if_alike};
use crate::onnx::rowwise::part;
use crate::onnx::value::Target;
use crate::onnx::view::View;
use std::fmt;
use std::rc::Rc;

/// A function of floats.
type Map = Rc<dyn Fn(f32) -> f32>;

/// Numbers in equal steps at which a function is looked at, and between each two powers of two.
const SAMPLES: usize = 4096;
const SAMPLES_OF_A_POWER: usize = 32;

/// Powers of two around which a function is looked at closely.
const POWERS: std::ops::Range<i32> = -20..24;

/// The part of a code's step by which a function may turn around unnoticed: approximations of tails do.
const NOISE: f32 = 1.0 / 1024.0;

/// Thirds of an interval in which a turn is looked for.
const THIRDS: usize = 100;

/// A function of each of a product's floats, the same for all columns.
#[derive(Clone)]
pub(in crate::onnx) struct Applied {
    product: Rc<Product>,
    /// Operations with constants that come before it.
    before: Vec<After>,
    function: Map,
}

impl fmt::Debug for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { product, before, .. } = self;
        f.debug_struct("Applied")
            .field("product", product)
            .field("before", before)
            .finish_non_exhaustive()
    }
}

/// How a function goes, from the least of its floats to the largest.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Course {
    Rising,
    Falling,
    /// Down to this float, then up.
    Valley(f32),
    /// Up to this float, then down.
    Hill(f32),
}

impl Applied {
    /// What `floats` are, if they are a product's after functions that are the same for all columns.
    fn of(floats: &Deferred) -> Option<Self> {
        if floats.pool.is_some() {
            return None;
        }
        let (low, high) = (floats.low, floats.high);
        let bounded = move |x: f32| x.max(low).min(high);
        match &floats.kind {
            Kind::Product(product) => {
                let (product, before) = (product.clone(), floats.after.clone());
                Some(Self { product, before, function: Rc::new(bounded) })
            }
            Kind::Applied(applied) => {
                let (function, rest) = (applied.function.clone(), uniform(&floats.after)?);
                let function = Rc::new(move |x| bounded(rest(function(x))));
                Some(Self { function, ..(**applied).clone() })
            }
            _ => None,
        }
    }

    /// `floats` after `function` of each.
    pub(in crate::onnx) fn map(
        floats: &Deferred,
        function: impl Fn(f32) -> f32 + 'static,
    ) -> Option<Deferred> {
        let of = Self::of(floats)?;
        let before = of.function.clone();
        Some(Self { function: Rc::new(move |x| function(before(x))), ..of }.deferred(&floats.view))
    }

    /// The function `of` of two floats, both of which are functions of those of one product.
    pub(in crate::onnx) fn of_two(
        [a, b]: [&Deferred; 2],
        of: impl Fn(f32, f32) -> f32 + 'static,
    ) -> Option<Deferred> {
        let view = Some(&a.view).filter(|view| **view == b.view)?;
        let (a, b) = (Self::of(a)?, Self::of(b)?);
        if !Rc::ptr_eq(&a.product, &b.product) {
            return None;
        }
        let shared = a.before.iter().zip(&b.before).take_while(|(a, b)| a == b).count();
        let [f, g] = [&a, &b].map(|applied| {
            let (function, rest) = (applied.function.clone(), uniform(&applied.before[shared..])?);
            Some(move |x| function(rest(x)))
        });
        let (f, g) = (f?, g?);
        let before = a.before[..shared].to_vec();
        let function = Rc::new(move |x| of(f(x), g(x)));
        Some(Self { product: a.product, before, function }.deferred(view))
    }

    fn deferred(self, view: &View) -> Deferred {
        Deferred::new(Kind::Applied(Rc::new(self)), view.clone())
    }

    /// The codes that a QuantizeLinear makes, after what has been done by column: a step of the accumulators where the
    /// function rises, of both of its sides where it turns around.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let matmul = &self.product.matmul;
        let columns = matmul.weights.n;
        let falls = [self.product.falls(&self.before)?, after::falls(after, columns)?].concat();
        if let Some(column) = falls.iter().position(|&falls| falls) {
            return Err(NodeError::NotMonotone { column: column % columns });
        }
        let course = self.course(step(after, columns, target.to.scale) * NOISE)?;
        let code =
            |column: usize, x: f32| target.code(after::value(after, column, (self.function)(x)));
        let steps = |of: &dyn Fn(usize, f32) -> u8| -> Result<Vec<Edges>, NodeError> {
            let step = |column| self.product.edges(&self.before, column, false, |x| of(column, x));
            Ok(one_if_alike((0..columns).map(step).collect::<Result<_, _>>()?))
        };
        let (rising, other, is_valley) = match course {
            Course::Rising => return builder.matmul(matmul, Epilogue::Edges(steps(&code)?)),
            Course::Falling => {
                let less = steps(&|column, x| 255 - code(column, x))?;
                let less = builder.matmul(matmul, Epilogue::Edges(less))?;
                let table = std::array::from_fn(|code| 255 - code as u8);
                return Ok(builder.map(&part(&matmul.name, "codes"), less, &table));
            }
            Course::Valley(turn) => {
                let rising = steps(&|column, x| code(column, x.max(turn)))?;
                let turned = |column, x: f32| code(column, x.min(turn));
                // 255 less what is above the code of the turn.
                let other =
                    steps(&|column, x| 255 - turned(column, x).saturating_sub(code(column, turn)))?;
                (rising, other, true)
            }
            Course::Hill(turn) => {
                let rising = steps(&|column, x| code(column, x.min(turn)))?;
                let turned = |column, x: f32| code(column, x.max(turn));
                let other =
                    steps(&|column, x| code(column, turn).saturating_sub(turned(column, x)))?;
                (rising, other, false)
            }
        };
        // Both are steps of the same accumulators.
        let rows = matmul.x.size().0;
        let sums = builder.matmul(matmul, Epilogue::Accumulator)?;
        let view = View::new(0, &[rows, columns], |dim| dim == 1);
        let read = |tensor| Matrix::laid_out(&view.on(tensor), |dim| dim == 1);
        let mut stepped = |name: &str, edges| {
            let terms = vec![(read(sums), Function::Times(1))];
            let (name, epilogue) = (part(&matmul.name, name), Epilogue::Edges(edges));
            builder.combine(&name, columns, terms, TensorKind::Code, epilogue)
        };
        let rising = stepped("rising", rising)?;
        let other = stepped("falling", other)?;
        let of_other = move |code: i64| if is_valley { 255 - code } else { -code };
        let terms = vec![
            (read(rising), Function::table(|code| code)),
            (read(other), Function::table(of_other)),
        ];
        let epilogue = Epilogue::Edges(vec![Edges::clamped()]);
        builder.combine(&part(&matmul.name, "codes"), columns, terms, TensorKind::Code, epilogue)
    }

    /// The float that the function is of, in a column.
    fn x(&self, column: usize, acc: i64) -> f32 {
        let scale = of_column(&self.product.scales, column);
        after::value(&self.before, column, acc as f32 * scale)
    }

    /// How the function goes between the ends of all columns' floats.
    fn course(&self, noise: f32) -> Result<Course, NodeError> {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for column in 0..self.product.matmul.weights.n {
            let bound = self.product.matmul.bound(column);
            low = low.min(self.x(column, -bound));
            high = high.max(self.x(column, bound));
        }
        let course = (low <= high).then(|| course(&*self.function, [low, high], noise)).flatten();
        course.ok_or(NodeError::NotMonotone { column: 0 })
    }
}

/// What operations with one number each come to; `None` if one has a number for each column.
fn uniform(after: &[After]) -> Option<impl Fn(f32) -> f32 + 'static + use<>> {
    let after = after.to_vec();
    let is_uniform = after.iter().all(|after| after.constant.len() == 1);
    is_uniform.then_some(move |x| after::value(&after, 0, x))
}

/// The least part of the function's floats that is a code in some column, after what is done by column.
fn step(after: &[After], columns: usize, scale: f32) -> f32 {
    let of_column = |column: usize| {
        after.iter().fold(scale, |step, after| {
            let constant = of_column(&after.constant, column).abs();
            match after.operation {
                Operation::Div => step * constant,
                Operation::Mul if constant > 0.0 => step / constant,
                _ => step,
            }
        })
    };
    (0..columns).map(of_column).fold(f32::INFINITY, f32::min)
}

/// How `function` goes from one of the ends to the other, `None` if it turns around twice or gives no numbers. Turns from
/// which it is `noise` away at most are none.
fn course(function: &dyn Fn(f32) -> f32, [low, high]: [f32; 2], noise: f32) -> Option<Course> {
    let even = |at: usize| low + (high - low) * (at as f32 / SAMPLES as f32);
    let mut at: Vec<f32> = (0..=SAMPLES).map(even).chain([high, 0.0]).collect();
    for power in POWERS {
        let of_power =
            |step: usize| 2f32.powi(power) * (1.0 + step as f32 / SAMPLES_OF_A_POWER as f32);
        at.extend((0..SAMPLES_OF_A_POWER).map(of_power).flat_map(|x| [x, -x]));
    }
    at.retain(|x| (low..=high).contains(x));
    at.sort_by(f32::total_cmp);
    at.dedup();
    let values: Vec<f32> = at.iter().map(|&x| function(x)).collect();
    if values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut turns: Vec<(usize, bool)> = Vec::new();
    let (mut extreme, mut up) = (0, None);
    for (now, &value) in values.iter().enumerate() {
        let from = values[extreme];
        match up {
            None if (value - from).abs() > noise => {
                (up, extreme) = (Some(value > from), now);
            }
            Some(rises) if (value > from) == rises && value != from => extreme = now,
            Some(rises) if (value - from).abs() > noise => {
                turns.push((extreme, rises));
                (up, extreme) = (Some(!rises), now);
            }
            _ => {}
        }
    }
    match (turns.as_slice(), up) {
        ([], Some(false)) => Some(Course::Falling),
        ([], _) => Some(Course::Rising),
        (&[(turn, is_hill)], _) => {
            let ends = [at[turn.saturating_sub(1)], at[(turn + 1).min(at.len() - 1)]];
            let sign = if is_hill { -1.0 } else { 1.0 };
            let turn = least(|x| sign * function(x), ends);
            Some(if is_hill { Course::Hill(turn) } else { Course::Valley(turn) })
        }
        _ => None,
    }
}

/// Where a function of one valley is least between `ends`.
fn least(function: impl Fn(f32) -> f32, [mut from, mut to]: [f32; 2]) -> f32 {
    for _ in 0..THIRDS {
        let (a, b) = (from + (to - from) / 3.0, to - (to - from) / 3.0);
        if function(a) > function(b) {
            from = a;
        } else {
            to = b;
        }
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onnx::floats;

    #[test]
    fn courses_of_functions() {
        let silu = |x: f32| x * floats::sigmoid(x);
        let of = |function: &dyn Fn(f32) -> f32| course(function, [-30.0, 700.0], 1e-5);
        let Some(Course::Valley(turn)) = of(&silu) else { panic!("a valley") };
        assert!((turn + 1.278_464_5).abs() < 1e-3, "{turn}");
        let Some(Course::Hill(turn)) = of(&|x| -silu(x)) else { panic!("a hill") };
        assert!((turn + 1.278_464_5).abs() < 1e-3, "{turn}");
        let Some(Course::Valley(turn)) = of(&floats::gelu) else { panic!("a valley") };
        assert!((turn + 0.751_791_5).abs() < 1e-3, "{turn}");
        assert_eq!(of(&floats::tanh), Some(Course::Rising));
        assert_eq!(of(&|x| -x), Some(Course::Falling));
        assert_eq!(of(&|_| 3.0), Some(Course::Rising));
        assert_eq!(of(&f32::sin), None);
        assert_eq!(of(&f32::sqrt), None);
        let beyond = course(&silu, [3.0, 9.0], 1e-5);
        assert_eq!(beyond, Some(Course::Rising));
    }
}
