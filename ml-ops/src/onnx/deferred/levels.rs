//! A function of integers in levels: the larger of them and zero, where it goes up like them, and steps of what is left, added up.

use super::course::{Turns, turns};
use super::{Applied, Deferred, Hidden};
use crate::graph::{Edges, Epilogue, Function, TensorKind, signed_bits};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::precision::Off;
use crate::onnx::rowwise::part;
use crate::onnx::view::View;

/// Levels of what is left of a function, from its least to its largest.
const LEVELS: f32 = 2040.0;

/// A level is so many units at least, where these are not so fine as this says, in bits below those of what the function is of.
const MULTIPLE: f64 = 64.0;
const FINEST: u32 = 16;

/// Steps that one code counts.
const OF_A_CODE: usize = 255;

/// Largest value of a function and of a level, in units: functions of larger ones are no integers.
const LARGEST: f64 = (1u64 << 40) as f64;
const LARGEST_LEVEL: f64 = (1u64 << 31) as f64;

/// Pieces of a function that goes up or down in each.
const MOST_PIECES: usize = 8;

/// By how much functions of a number and its negative may differ from each other, in levels.
const ALIKE: f32 = 1.0 / 8.0;

/// What a function of floats is made of.
struct Parts<'a> {
    /// It goes up like the number above zero.
    rises: bool,
    /// What is left is that of a number's size.
    is_even: bool,
    left: &'a dyn Fn(f32) -> f32,
    /// Floats at which it is looked at.
    at: &'a [f32],
}

impl Applied {
    /// The function as integers, if what it is of are integers; `floats` are seen as this is.
    pub(super) fn hidden(
        &self,
        builder: &mut Builder,
        name: &str,
        floats: &Deferred,
    ) -> Result<Option<Hidden>, NodeError> {
        let Some((of, function)) = self.parted(floats) else { return Ok(None) };
        let Some(x) = of.hidden(builder, &part(name, "of"))? else { return Ok(None) };
        let kind = builder.tensors[x.view.tensor].kind();
        let (low, high) = kind.range();
        let ends = [low, high].map(|end| end as f32 * x.scale);
        if !x.scale.is_normal() || !ends.iter().all(|end| function(*end).is_finite()) {
            return Ok(None);
        }
        let left_of = |x: f32, rises: bool| function(x) - if rises { x.max(0.0) } else { 0.0 };
        let plain = |x: f32| left_of(x, false);
        let Some(Turns { at, .. }) = turns(&plain, ends, f32::INFINITY) else { return Ok(None) };
        let range = |rises: bool| {
            let [low, high] = [f32::INFINITY, f32::NEG_INFINITY];
            let values = at.iter().map(|&x| left_of(x, rises));
            let (low, high) = values.fold((low, high), |(low, high), x| (low.min(x), high.max(x)));
            high - low
        };
        // What is left is to be of few levels.
        let rises = range(true) < range(false);
        let left = |x: f32| left_of(x, rises);
        let level = range(rises) / LEVELS;
        let is_even = at.iter().all(|&x| (left(x) - left(-x)).abs() <= level * ALIKE);
        let parts = Parts { rises, is_even, left: &left, at: &at };
        // What the integers are off by moves the function by so much.
        let by = (builder.precision.of(x.view.tensor).most * f64::from(x.scale)) as f32;
        let moves = at.iter().flat_map(|&x| [(x, x + by), (x, x - by)]);
        let moved = moves.map(|(x, to)| (function(x) - function(to)).abs()).fold(0.0, f32::max);
        // Steps of levels are finer than what the integers are off.
        let aside = builder.precision.set_aside(std::iter::once(x.view.tensor));
        let made = of_parts(builder, name, &x, ends, level, &parts)?;
        builder.precision.put_back(aside);
        if let Some((made, off)) = &made {
            let off = off + f64::from(moved) / f64::from(made.scale);
            builder.precision.set(made.view.tensor, Off::of(off));
        }
        Ok(made.map(|(made, _)| made))
    }
}

/// The sum of the parts, in multiples of the scale of `x`, whose floats lie between `ends`, and what it may be off by.
fn of_parts(
    builder: &mut Builder,
    name: &str,
    x: &Hidden,
    ends: [f32; 2],
    level: f32,
    of: &Parts<'_>,
) -> Result<Option<(Hidden, f64)>, NodeError> {
    let (view, of_node) = (&x.view, name);
    let is_feature = |dim: usize| view.is_feature(dim);
    let read = |y: usize| Matrix::laid_out(&view.on(y), is_feature);
    let columns = read(view.tensor).size().1;
    let layout = View::new(0, &view.shape(), is_feature);
    let laid_out = |y: usize| Matrix::laid_out(&layout.on(y), is_feature);
    let kind = builder.tensors[view.tensor].kind();
    let above = builder.relu(&part(name, "above"), view.tensor);
    let (mut sizes, mut begin) = (read(view.tensor), ends[0]);
    if of.is_even {
        // A number's size is twice what it is above zero, less it.
        let terms =
            vec![(read(above), Function::Times(2)), (read(view.tensor), Function::Times(-1))];
        let epilogue = Epilogue::Accumulator;
        let size = builder.combine(&part(name, "size"), columns, terms, kind, epilogue)?;
        (sizes, begin) = (laid_out(size), 0.0);
    }
    let ends = [begin, ends[1]];
    let Some(Turns { at, turns, .. }) = turns(of.left, ends, level / 2.0) else { return Ok(None) };
    let mut places: Vec<f32> = turns.iter().map(|&(turn, _)| at[turn]).collect();
    places.insert(0, ends[0]);
    places.push(ends[1]);
    if places.len() > MOST_PIECES {
        return Ok(None);
    }
    // A unit of which levels are multiples, that are near to what they are to be.
    let scale = f64::from(x.scale);
    let finer =
        (0..FINEST).find(|finer| f64::from(level) / scale * f64::from(1u32 << finer) >= MULTIPLE);
    let times = 1i64 << finer.unwrap_or(FINEST);
    let unit = scale / times as f64;
    let multiple = (f64::from(level) / unit).ceil().max(1.0);
    let most = f64::from((of.left)(ends[0])) / unit;
    if multiple > LARGEST_LEVEL || most.abs() > LARGEST {
        return Ok(None);
    }
    let level = multiple * unit;
    let last = kind.range().1;
    let (mut terms, mut pieces) = (Vec::new(), Vec::new());
    if of.rises {
        terms.push((read(above), Function::Times(times)));
    }
    let first = most.round_ties_even() as i64;
    let (mut bound, mut offset) = (first.abs() + if of.rises { times * last } else { 0 }, first);
    for (number, pair) in places.windows(2).enumerate() {
        let from = (of.left)(pair[0]);
        let height = (of.left)(pair[1]) - from;
        let sign = if height < 0.0 { -1 } else { 1 };
        let [low, high] = [pair[0], pair[1]];
        let of_float =
            move |x: f32| f64::from((of.left)(x.max(low).min(high)) - from) * sign as f64 / level;
        let risen = |integer: i64| of_float(integer as f32 * x.scale);
        let levels = risen(last).round_ties_even().max(0.0) as usize;
        let counted = move |x: f32| of_float(x).round().clamp(0.0, levels as f64) * sign as f64;
        pieces.push(counted);
        for (at, count) in (0..levels).step_by(OF_A_CODE).map(|at| (at, OF_A_CODE.min(levels - at)))
        {
            let edge = |code: u8| {
                let wanted = at as f64 + f64::from(code) - 0.5;
                let (mut below, mut from) = (-last - 1, last);
                while from - below > 1 {
                    let middle = below + (from - below) / 2;
                    *(if risen(middle) >= wanted { &mut from } else { &mut below }) = middle;
                }
                from as f64
            };
            let epilogue = Epilogue::Edges(vec![Edges::rising(0, count as u8, edge)]);
            let name = format!("level{number}.{at}");
            let of = vec![(sizes.clone(), Function::Times(1))];
            let name = part(of_node, &name);
            let code = builder.combine(&name, columns, of, TensorKind::Code, epilogue)?;
            let (times, added) = (sign * multiple as i64, std::mem::take(&mut offset));
            terms.push((laid_out(code), Function::table(move |code| times * code + added)));
            bound += count as i64 * multiple as i64;
        }
    }
    if terms.is_empty() || offset != 0 {
        return Ok(None);
    }
    let kind = TensorKind::Integer { bits: signed_bits(bound) };
    let y =
        builder.combine(&part(name, "function"), columns, terms, kind, Epilogue::Accumulator)?;
    let most = of.at.iter().map(|&x| {
        let size = if of.is_even { x.abs() } else { x };
        let risen = pieces.iter().map(|piece| piece(size)).sum::<f64>();
        ((risen * multiple + first as f64) - f64::from((of.left)(x)) / unit).abs()
    });
    let off = most.fold(multiple / 2.0, f64::max) + 0.5;
    Ok(Some((Hidden { view: layout.on(y), scale: unit as f32 }, off)))
}
