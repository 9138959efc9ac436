//! A function of a 16-bit tensor into 16 bits: lines beside each other, of which each value has one.

use super::{Addend, Applied, Deferred, ExactTerm, Kind};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind, WordType};
use crate::onnx::builder::Builder;
use crate::onnx::error::NodeError;
use crate::onnx::matrix::Matrix;
use crate::onnx::rowwise::{Summand, part};
use crate::onnx::value::Scaling;
use crate::onnx::words::{self, MAX_IMAGE, WordFloats};

/// Values of 16 bits.
const VALUES: usize = 1 << 16;

/// Most lines, of which a code counts so many, and most values of one.
const MOST_LINES: usize = 1 + 4 * OF_A_CODE;
const OF_A_CODE: usize = 255;
const LONGEST: usize = 1 << 12;

/// Values of one code that make a function level.
const LEVEL: usize = 64;

/// Units of a code, in bits: a line's slope is a multiple of one unit.
const UNITS: u32 = 15;

/// What lines may be off by, in codes: the least of these that few enough do.
const OFF: [f64; 2] = [1.0 / 16.0, 1.0 / 8.0];

/// A line, in units.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    /// The first value that has it.
    from: usize,
    slope: i64,
    /// What it has at the value zero.
    at_zero: i64,
}

impl Applied {
    /// The dequantized 16-bit tensor, of a scale of its own, that these floats are up to their rounding; `None` if they are none.
    pub(super) fn scaled_words(&self, floats: &Deferred) -> Option<WordFloats> {
        let (of, function) = self.parted(floats)?;
        let Kind::Exact(sum) = &of.kind else { return None };
        let [ExactTerm { of: Addend::Words { words, zero_point }, scale }] = &sum.terms[..] else {
            return None;
        };
        let values = i64::from(words.dtype.min())..=i64::from(words.dtype.max());
        let float = |value| function(WordType::dequantize(value, *scale as f32, *zero_point));
        let [least, most] = [*values.start(), *values.end()].map(float).map(f64::from);
        let scale = ((most - least) / 65535.0) as f32;
        let near = |value: i64| {
            let scaled = WordType::dequantize(value, scale, *zero_point);
            (float(value) - scaled).abs() <= scaled.abs() * 4.0 * f32::EPSILON
        };
        let is_scaled = scale.is_finite() && scale > 0.0 && floats.view == sum.layout;
        let scaling = Scaling { scale, zero_point: *zero_point };
        let (low, high) = (f32::NEG_INFINITY, f32::INFINITY);
        let words = words.clone();
        (is_scaled && values.into_iter().all(near)).then_some(WordFloats {
            words,
            scaling,
            low,
            high,
        })
    }

    /// The 16-bit tensor that a QuantizeLinear makes, in two codes, if these floats are a function of one 16-bit tensor's.
    pub(super) fn words(
        &self,
        builder: &mut Builder,
        name: &str,
        floats: &Deferred,
        (to, dtype): (Scaling, WordType),
    ) -> Result<Option<[TensorId; 2]>, NodeError> {
        let Some((of, function)) = self.parted(floats) else { return Ok(None) };
        let Kind::Exact(sum) = &of.kind else { return Ok(None) };
        let [term] = &sum.terms[..] else { return Ok(None) };
        let Addend::Words { words, zero_point } = &term.of else { return Ok(None) };
        let zero = f64::from(to.zero_point - dtype.min());
        let float = |value: usize| {
            let value = value as i64 + i64::from(words.dtype.min());
            WordType::dequantize(value, term.scale as f32, *zero_point)
        };
        // Bounds make numbers of what is none.
        if !(0..VALUES).all(|value| self.is_number(float(value))) {
            return Err(NodeError::NotANumber { index: 0 });
        }
        let code = |value: usize| {
            let code = f64::from(function(float(value))) / f64::from(to.scale) + zero;
            // What is beyond the type is its end.
            code.clamp(0.0, 65535.0)
        };
        let mut codes: Vec<f64> = (0..VALUES).map(code).collect();
        // Where the function is level it has one code, which a tie is rounded to as the runtime rounds it.
        let mut from = 0;
        for level in codes.clone().chunk_by(|a, b| a == b) {
            if level.len() >= LEVEL {
                let x = function(float(from));
                let code = dtype.quantize(x, to.scale, to.zero_point) - i64::from(dtype.min());
                codes[from..from + level.len()].fill(code as f64);
            }
            from += level.len();
        }
        let mut lines =
            OFF.iter().find_map(|&off| lines(&codes, off)).ok_or(NodeError::NoTables)?;
        if let [only] = lines[..] {
            lines.push(Line { from: VALUES - 1, ..only });
        }
        let layout = &sum.layout;
        let read = |tensor| Matrix::laid_out(&layout.on(tensor), |dim| layout.is_feature(dim));
        let digits = words.codes(builder, &part(name, "digits"))?;
        let digits = digits.map(|view| Matrix::laid_out(&view, |dim| layout.is_feature(dim)));
        let counts = [256, 1];
        let value = |(digit, count): (&Matrix, i64)| {
            (digit.clone(), Function::table(move |code| count * code))
        };
        let terms: Vec<Summand> = digits.iter().zip(counts).map(value).collect();
        let columns = digits[0].size().1;
        // How many lines begin at or below a value, as codes.
        let mut numbers = Vec::new();
        for (at, of) in lines[1..].chunks(OF_A_CODE).enumerate() {
            let edges = of.iter().map(|line| line.from as i64).collect();
            let epilogue = Epilogue::Edges(vec![Edges { first: 0, edges }]);
            let name = part(name, &format!("line{at}"));
            let kind = TensorKind::Code;
            numbers.push(builder.combine(&name, columns, terms.clone(), kind, epilogue)?);
        }
        // What a line has is that of the last one that a code counts, added up over the codes.
        let of_lines = |of: &dyn Fn(&Line) -> i64| -> Vec<Summand> {
            let term = |(at, number): (usize, &TensorId)| {
                let line = |code: usize| lines.get(at * OF_A_CODE + code).map_or(0, of);
                let less = if at == 0 { 0 } else { line(0) };
                (read(*number), Function::table(|code| line(code as usize) - less))
            };
            numbers.iter().enumerate().map(term).collect()
        };
        // The line's slope times both digits, and what it has at zero.
        let most = lines.iter().map(|line| line.slope.abs()).max().unwrap_or(0);
        let bytes = (2..=3).find(|bytes| most < 1 << (8 * bytes - 1)).ok_or(NodeError::NoTables)?;
        let mut terms = Vec::new();
        for byte in 0..bytes {
            let of = |line: &Line| (line.slope + (1 << (8 * bytes - 1))) >> (8 * byte) & 255;
            let name = part(name, &format!("slope{byte}"));
            let (kind, epilogue) = (TensorKind::Code, Epilogue::Edges(vec![Edges::clamped()]));
            let slope = builder.combine(&name, columns, of_lines(&of), kind, epilogue)?;
            let zero = if byte + 1 == bytes { 128 } else { 0 };
            for (digit, count) in digits.iter().zip(counts) {
                let factor = count << (8 * byte);
                let function = builder.source(&read(slope), false)?.factor([0, zero], factor);
                terms.push((digit.clone(), function));
            }
        }
        terms.extend(of_lines(&|line| line.at_zero));
        let unit = f64::from(1u32 << UNITS);
        let edge = (|value: f64| (value - 0.5) * unit, unit);
        words::digits(builder, name, columns, &terms, edge, words::ALL, read).map(Some)
    }
}

/// Lines that are off by at most `off` from `codes`, one for each value; `None` if there are too many.
fn lines(codes: &[f64], off: f64) -> Option<Vec<Line>> {
    let (mut lines, mut from) = (Vec::new(), 0);
    while from < codes.len() {
        if lines.len() == MOST_LINES {
            return None;
        }
        let longest = LONGEST.min(codes.len() - from);
        // One value has a line; the longest that fits lies between a length that does and one that does not.
        let fits = |length: usize| line(codes, from, length, off);
        let (mut fitting, mut too_long) = (1, longest + 1);
        while fitting < longest && fits((2 * fitting).min(longest)).is_some() {
            fitting = (2 * fitting).min(longest);
        }
        if fitting < longest {
            too_long = (2 * fitting).min(longest);
        }
        while too_long - fitting > 1 {
            let middle = fitting + (too_long - fitting) / 2;
            *(if fits(middle).is_some() { &mut fitting } else { &mut too_long }) = middle;
        }
        lines.push(fits(fitting)?);
        from += fitting;
    }
    Some(lines)
}

/// The line through `length` of `codes`, if it is off by at most `off`.
fn line(codes: &[f64], from: usize, length: usize, off: f64) -> Option<Line> {
    let unit = f64::from(1u32 << UNITS);
    let of = codes.get(from..from + length)?;
    let (first, last) = (of.first()?, of.last()?);
    let slope = ((last - first) / (length - 1).max(1) as f64 * unit).round_ties_even();
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    for (at, code) in of.iter().enumerate() {
        let rest = code * unit - slope * (from + at) as f64;
        (least, most) = (least.min(rest), most.max(rest));
    }
    let at_zero = ((least + most) / 2.0).round_ties_even();
    let fits = most - least <= 2.0 * off * unit && slope.abs() < MAX_IMAGE;
    fits.then_some(Line { from, slope: slope as i64, at_zero: at_zero as i64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_near_the_function() {
        let codes: Vec<f64> = (0..VALUES)
            .map(|value| {
                let x = (value as f64 - 32768.0) / 4096.0;
                65535.0 / (1.0 + (-x).exp())
            })
            .collect();
        let unit = f64::from(1u32 << UNITS);
        let off = OFF.iter().find(|off| lines(&codes, **off).is_some()).expect("few lines");
        let lines = lines(&codes, *off).expect("few lines");
        let mut of = lines.iter().peekable();
        let mut line = of.next().expect("a line");
        for (value, code) in codes.iter().enumerate() {
            while let Some(next) = of.next_if(|next| next.from <= value) {
                line = next;
            }
            let found = (line.slope * value as i64 + line.at_zero) as f64 / unit;
            assert!((found - code).abs() <= off + 1.0 / unit, "{value}: {found} {code}");
        }
        // What jumps at every value has too many.
        let jumps: Vec<f64> = (0..VALUES).map(|value| f64::from(value as u32 % 2) * 9.0).collect();
        assert!(self::lines(&jumps, 0.25).is_none());
    }
}
