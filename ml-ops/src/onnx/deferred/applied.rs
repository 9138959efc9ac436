//! A function of each of the floats that a matmul, a sum, an average or the like gives, before which no QuantizeLinear comes.

use super::after::{self, After};
use super::course::{Course, course};
use super::stem;
use super::{Deferred, Each, Kind, Product};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind};
use crate::onnx::arithmetic::Operation;
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::operands::{of_column, one_if_alike};
use crate::onnx::rowwise::part;
use crate::onnx::target::{Target, Through};
use crate::onnx::view::View;
use std::fmt;
use std::rc::Rc;

/// A function of floats.
pub(super) type Map = Rc<dyn Fn(f32) -> f32>;

/// The part of a code's step by which a function may turn around unnoticed: approximations of tails do.
const NOISE: f32 = 1.0 / 1024.0;

/// A function of each of some floats, the same for all columns.
#[derive(Clone)]
pub(in crate::onnx) struct Applied {
    /// The floats: a product, a function by index, or what has ends.
    of: Kind,
    /// Operations with constants that come before it.
    before: Vec<After>,
    function: Map,
}

impl fmt::Debug for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, before, .. } = self;
        f.debug_struct("Applied").field("of", of).field("before", before).finish_non_exhaustive()
    }
}

impl Applied {
    /// What `floats` are, if they are such after functions that are the same for all columns.
    fn of(floats: &Deferred) -> Option<Self> {
        if !floats.pools.is_empty() {
            return None;
        }
        let (low, high) = (floats.low, floats.high);
        let bounded = move |x: f32| x.max(low).min(high);
        match &floats.kind {
            Kind::Applied(applied) => {
                let (function, rest) = (applied.function.clone(), uniform(&floats.after)?);
                let function = Rc::new(move |x| bounded(rest(function(x))));
                Some(Self { function, ..(**applied).clone() })
            }
            kind => {
                let is_one = matches!(kind, Kind::Product(_) | Kind::Each(_));
                let (of, before) = (kind.clone(), floats.after.clone());
                let function = Rc::new(bounded);
                (is_one || stem::ends(kind).is_some()).then_some(Self { of, before, function })
            }
        }
    }

    /// What these, seen as `floats` are, are a function of, and the function with bounds.
    pub(super) fn parted(&self, floats: &Deferred) -> Option<(Deferred, Map)> {
        let (function, rest) = (self.function.clone(), uniform(&floats.after)?);
        let (low, high) = (floats.low, floats.high);
        let mut of = Deferred::new(self.of.clone(), floats.view.clone());
        let bounded = move |x: f32| rest(function(x)).max(low).min(high);
        if self.has_columns() {
            of.after.clone_from(&self.before);
            return Some((of, Rc::new(bounded)));
        }
        let before = uniform(&self.before)?;
        Some((of, Rc::new(move |x| bounded(before(x)))))
    }

    /// Whether the function of a float is a number.
    pub(super) fn is_number(&self, x: f32) -> bool {
        !(self.function)(x).is_nan()
    }

    /// Whether operations with a constant for each column can follow.
    pub(in crate::onnx) fn has_columns(&self) -> bool {
        matches!(self.of, Kind::Product(_) | Kind::Each(_))
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

    /// The function `of` of two floats, both of which are functions of the same.
    pub(in crate::onnx) fn of_two(
        [a, b]: [&Deferred; 2],
        of: impl Fn(f32, f32) -> f32 + 'static,
    ) -> Option<Deferred> {
        let view = Some(&a.view).filter(|view| **view == b.view)?;
        let (a, b) = (Self::of(a)?, Self::of(b)?);
        if !stem::is_same(&a.of, &b.of) {
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
        Some(Self { of: a.of, before, function }.deferred(view))
    }

    fn deferred(self, view: &View) -> Deferred {
        Deferred::new(Kind::Applied(Rc::new(self)), view.clone())
    }

    /// The codes that a QuantizeLinear makes, after what has been done by column.
    pub(super) fn quantize(
        &self,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        match &self.of {
            Kind::Product(product) => self.of_product(product, builder, after, target),
            Kind::Each(each) => self.of_each(each, builder, after, target),
            kind => self.through(kind, builder, after, target),
        }
    }

    /// Those of a function by index: for each index whatever it makes of a code.
    fn of_each(
        &self,
        each: &Each,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        each.codes(builder, &|column, code| {
            let x = after::value(&self.before, column, each.image(column, code));
            target.code(after::value(after, column, (self.function)(x)))
        })
    }

    /// Those of floats that have ends: a step of them where the function rises, of both of its sides where it turns around.
    fn through(
        &self,
        kind: &Kind,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let wrong = NodeError::NotMonotone { column: 0 };
        let ends = stem::ends(kind).ok_or(wrong.clone())?;
        let (before, rest) = (uniform(&self.before), uniform(after));
        let (Some(before), Some(rest)) = (before, rest) else { return Err(wrong) };
        let function = |x: f32| rest((self.function)(before(x)));
        let code = |x: f32| target.code(function(x));
        let mut stepped = |code: &dyn Fn(f32) -> u8| {
            let through = Some(Through::new(code, ends));
            let unbounded = Target::unbounded(target.to, target.dtype);
            kind.codes(builder, &[], &Target { through, ..unbounded })
        };
        let identity: [u8; 256] = std::array::from_fn(|code| code as u8);
        let (parts, tables) = match course(&function, ends, target.to.scale * NOISE).ok_or(wrong)? {
            Course::Rising => return stepped(&code),
            Course::Falling => {
                let less = stepped(&|x| 255 - code(x))?;
                return Ok(builder.map(
                    &part(stem::name(kind), "codes"),
                    less,
                    &identity.map(|x| 255 - x),
                ));
            }
            Course::Valley(turn) => {
                let turned = |x: f32| code(x.min(turn)).saturating_sub(code(turn));
                let parts = [stepped(&|x| code(x.max(turn)))?, stepped(&|x| 255 - turned(x))?];
                (parts, [Function::table(|code| code), Function::table(|code| 255 - code)])
            }
            Course::Hill(turn) => {
                let turned = |x: f32| code(turn).saturating_sub(code(x.max(turn)));
                let parts = [stepped(&|x| code(x.min(turn)))?, stepped(&turned)?];
                (parts, [Function::table(|code| code), Function::table(|code| -code)])
            }
        };
        builder.sum_of_codes(&part(stem::name(kind), "codes"), parts, tables)
    }

    /// Those of a product: a step of the accumulators where the function rises, of both of its sides where it turns around.
    fn of_product(
        &self,
        product: &Product,
        builder: &mut Builder,
        after: &[After],
        target: &Target,
    ) -> Result<TensorId, NodeError> {
        let matmul = &product.matmul;
        let columns = matmul.weights.n;
        if let Some(column) = after::falls(after, columns)?.iter().position(|&falls| falls) {
            return Err(NodeError::NotMonotone { column });
        }
        let falls = product.falls(&self.before)?;
        if falls.contains(&true) && product.scales.iter().all(|scale| *scale > 0.0) {
            return self.of_product(&product.turned(&falls), builder, after, target);
        }
        let course = self.course(product, step(after, columns, target.to.scale) * NOISE)?;
        let code =
            |column: usize, x: f32| target.code(after::value(after, column, (self.function)(x)));
        let steps = |of: &dyn Fn(usize, f32) -> u8| -> Result<Vec<Edges>, NodeError> {
            let step = |column| product.edges(&self.before, column, false, |x| of(column, x));
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
        let tables = [Function::table(|code| code), Function::table(of_other)];
        builder.sum_of_codes(&part(&matmul.name, "codes"), [rising, other], tables)
    }

    /// How the function goes between the ends of all columns' floats.
    fn course(&self, product: &Product, noise: f32) -> Result<Course, NodeError> {
        let x = |column: usize, acc: i64| {
            let scale = of_column(&product.scales, column);
            after::value(&self.before, column, acc as f32 * scale)
        };
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for column in 0..product.matmul.weights.n {
            let bound = product.matmul.bound(column);
            low = low.min(x(column, -bound));
            high = high.max(x(column, bound));
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
