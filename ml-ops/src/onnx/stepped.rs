//! Steps of one product's accumulators: what is computed of several of them, and of numbers, are steps again.

use super::builder::Builder;
use super::deferred::{Deferred, Kind, Product};
use super::error::NodeError;
use super::thresholds::grid;
use super::value::{Codes, Floats, Value};
use super::view::View;
use super::windows::Pool;
use crate::graph::{CodeType, Edges, Epilogue, dequantize_table};
use std::rc::Rc;

/// A tensor of codes that are steps of a product's accumulators, before MaxPools or none.
#[derive(Debug)]
pub(super) struct Stepped {
    product: Rc<Product>,
    pools: Vec<Rc<(View, Pool)>>,
    /// The codes of each column.
    columns: Vec<Steps<u8>>,
}

/// What accumulators of a column have, from the least on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps<T> {
    /// The least accumulators of the values after the first.
    pub(super) switches: Vec<i64>,
    /// One more than switches.
    pub(super) values: Vec<T>,
}

impl<T: Copy + PartialEq> Steps<T> {
    fn at(&self, accumulator: i64) -> T {
        self.values[self.switches.partition_point(|switch| *switch <= accumulator)]
    }

    /// What `of` makes of the values at accumulators from the least on, at each of `switches`.
    fn new(switches: Vec<i64>, of: impl Fn(i64) -> T) -> Self {
        let mut steps = Self { switches: vec![], values: vec![of(i64::MIN)] };
        for switch in switches {
            let value = of(switch);
            if steps.values.last() != Some(&value) {
                steps.switches.push(switch);
                steps.values.push(value);
            }
        }
        steps
    }

    pub(super) fn map<U: Copy + PartialEq>(&self, of: impl Fn(T) -> U) -> Steps<U> {
        let values = self.values.iter().map(|value| of(*value)).collect();
        Steps { switches: self.switches.clone(), values }
    }
}

impl Steps<u8> {
    /// The steps of an edge each, which `code` is of.
    pub(super) fn of_edges(edges: &Edges, code: impl Fn(u8) -> u8) -> Self {
        let mut switches = edges.edges.to_vec();
        switches.dedup();
        Self::new(switches, |accumulator| code(edges.code(accumulator)))
    }

    /// As edges, of accumulators that are turned around if the steps go down.
    fn edges(&self) -> Edges {
        let falls = self.values.first() > self.values.last();
        let pairs = self.switches.iter().zip(self.values.windows(2));
        let repeated = |(&switch, pair): (&i64, &[u8])| {
            let at = if falls { 1 - switch } else { switch };
            std::iter::repeat_n(at, usize::from(pair[0].abs_diff(pair[1])))
        };
        let mut edges: Vec<i64> = pairs.flat_map(repeated).collect();
        edges.sort_unstable();
        let first = self.values.iter().copied().min().unwrap_or(0);
        Edges { first, edges: edges.into() }
    }
}

/// The floats `images`, increasing, as `steps` of the product that `of` is before its MaxPools say for each column: they go down
/// in the columns that `falls` says, and up in the others.
///
/// Columns in which they go down hold the negated floats, and say so, where floats are those of codes that are symmetric about a
/// zero point; else they have the negated weights.
pub(super) fn floats(
    builder: &mut Builder,
    name: &str,
    of: &Deferred,
    images: &[f32],
    steps: &[Steps<f32>],
    falls: Vec<bool>,
) -> Result<Value, NodeError> {
    let Kind::Product(product) = &of.kind else {
        let expected = "a matmul's or convolution's result";
        return Err(NodeError::Operand { index: 0, expected });
    };
    let (scaling, codes) = grid(images)?;
    let last = codes.last().copied().unwrap_or(0);
    let code = |x: f32| images.iter().position(|image| *image == x).map_or(0, |at| codes[at]);
    let any = falls.iter().position(|&falls| falls);
    let is_symmetric = 2 * scaling.zero_point == i32::from(last);
    let negated = any.is_some() && is_symmetric;
    // The largest of a window is taken of what grows with accumulators, of which floats may be another function.
    let mut columns = steps.iter().zip(&falls);
    let all = columns.all(|(steps, falls)| *falls || steps.values.len() == 1);
    let reversed = any.is_some() && all && !is_symmetric && !of.pools.is_empty();
    let turned = match any {
        Some(column) if !is_symmetric && !reversed && !of.pools.is_empty() => {
            return Err(NodeError::NotMonotone { column });
        }
        Some(_) if !is_symmetric && !reversed => &product.turned(&falls),
        _ => product,
    };
    let held = |(steps, &falls): (&Steps<f32>, &bool)| match negated && falls || reversed {
        true => steps.map(|x| last - code(x)),
        false => steps.map(code),
    };
    let columns: Vec<Steps<u8>> = steps.iter().zip(&falls).map(held).collect();
    let edges = Epilogue::Edges(columns.iter().map(Steps::edges).collect());
    let tensor = builder.matmul(&turned.matmul, edges)?;
    let view = of.pooled(builder, name, tensor)?;
    let (product, pools) = (product.clone(), of.pools.clone());
    builder.stepped.insert(view.tensor, Rc::new(Stepped { product, pools, columns }));
    let dtype = CodeType::U8;
    let mut images = Box::new(dequantize_table(scaling.scale, scaling.zero_point, dtype));
    if reversed {
        images[..=usize::from(last)].reverse();
    }
    let floats = Floats {
        codes: Codes { view, dtype, quantized: false, origin: None },
        scaling,
        images,
        pure: !reversed,
        direct: false,
        fused: None,
    };
    Ok(if negated { Value::Negated(floats, Rc::new(falls)) } else { Value::Floats(floats) })
}

/// Floats that are steps of a product.
struct Operand<'a> {
    floats: &'a Floats,
    negated: Option<&'a [bool]>,
    stepped: Rc<Stepped>,
}

impl<'a> Operand<'a> {
    fn of(builder: &Builder, value: &'a Value) -> Option<Self> {
        let (floats, negated) = match value {
            Value::Floats(floats) => (floats, None),
            Value::Negated(floats, negated) => (floats, Some(negated.as_slice())),
            _ => return None,
        };
        let stepped = builder.stepped.get(&floats.codes.view.tensor)?.clone();
        Some(Self { floats, negated, stepped })
    }

    /// Whether both are of the same accumulators, and seen alike.
    fn is_beside(&self, other: &Self) -> bool {
        let (a, b) = (&self.stepped, &other.stepped);
        let same = |(a, b): (&Rc<_>, &Rc<_>)| Rc::ptr_eq(a, b);
        Rc::ptr_eq(&a.product, &b.product)
            && a.pools.len() == b.pools.len()
            && a.pools.iter().zip(&b.pools).all(same)
            && self.floats.codes.view.on(0) == other.floats.codes.view.on(0)
    }

    fn float(&self, column: usize, accumulator: i64) -> f32 {
        let x = self.floats.images[usize::from(self.stepped.columns[column].at(accumulator))];
        let is_negated = self.negated.is_some_and(|negated| negated[column]);
        if is_negated { -x } else { x }
    }
}

/// Whether a value is such floats.
pub(super) fn is_stepped(builder: &Builder, value: &Value) -> bool {
    Operand::of(builder, value).is_some()
}

/// The function `of` of operands that are steps of the same accumulators, as steps; `None` where they are not, or the function is
/// none that goes up or down in each column, or of other floats than multiples of one.
pub(super) fn together(
    builder: &mut Builder,
    name: &str,
    operands: &[&Value],
    of: impl Fn(&[f32]) -> f32,
) -> Result<Option<Value>, NodeError> {
    let found: Option<Vec<_>> = operands.iter().map(|value| Operand::of(builder, value)).collect();
    let Some(found) = found else { return Ok(None) };
    let Some((first, rest)) = found.split_first() else { return Ok(None) };
    if !rest.iter().all(|other| first.is_beside(other)) {
        return Ok(None);
    }
    let column = |column: usize| {
        let switches = found.iter().flat_map(|operand| &operand.stepped.columns[column].switches);
        let mut switches: Vec<i64> = switches.copied().collect();
        switches.sort_unstable();
        switches.dedup();
        Steps::new(switches, |accumulator| {
            let operands = found.iter().map(|operand| operand.float(column, accumulator));
            // One zero.
            of(&operands.collect::<Vec<_>>()) + 0.0
        })
    };
    let columns = first.stepped.columns.len();
    let steps: Vec<Steps<f32>> = (0..columns).map(column).collect();
    let is_one_way =
        |steps: &Steps<f32>| steps.values.is_sorted() || steps.values.is_sorted_by(|a, b| a >= b);
    let is_finite = |steps: &Steps<f32>| steps.values.iter().all(|x| x.is_finite());
    if !steps.iter().all(|steps| is_one_way(steps) && is_finite(steps)) {
        return Ok(None);
    }
    let falls = steps.iter().map(|steps| steps.values.first() > steps.values.last()).collect();
    let mut images: Vec<f32> = steps.iter().flat_map(|of| &of.values).copied().collect();
    images.sort_unstable_by(f32::total_cmp);
    images.dedup();
    let kind = Kind::Product(first.stepped.product.clone());
    let mut of = Deferred::new(kind, first.floats.codes.view.clone());
    of.pools.clone_from(&first.stepped.pools);
    match floats(builder, name, &of, &images, &steps, falls) {
        Err(NodeError::NotOnGrid { .. }) => Ok(None),
        made => made.map(Some),
    }
}
