//! Integers of many bits: their digits to base 256 one after the other, and tables of more than 31 bits.

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::rowwise::{self, Rowwise, Summand};
use super::words::{self, ALL, MAX_IMAGE, MOST_TABLES};
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind, signed_bits};

/// Bits of what a digit is multiplied with in a table; the rest is a factor of integers.
const OF_TABLE: u32 = 22;

/// Largest factor of integers and of products.
const MAX_FACTOR: u64 = 1 << 31;

/// The digits to base 256, from the highest on, of a sum of `terms` in units of an integer: `edge` takes a number to the
/// least sum that has it. The digits have `columns` columns, and `read` reads them.
pub(super) fn digits(
    builder: &mut Builder,
    (name, columns): (&str, usize),
    terms: Vec<Summand>,
    (edge, unit): (impl Fn(f64) -> f64, i64),
    count: u32,
    read: impl Fn(TensorId) -> Matrix,
) -> Result<Vec<TensorId>, NodeError> {
    let (mut terms, mut digits) = (terms, Vec::with_capacity(count as usize));
    for place in (0..count).rev() {
        let counts = 1i64 << (8 * place);
        let (first, last) = ALL;
        let least = |digit: u8| edge(f64::from(digit) * counts as f64);
        let epilogue = Epilogue::Edges(vec![Edges::rising(first, last, least)]);
        let of_place = rowwise::part(name, &format!("digit{place}"));
        let all = terms.clone();
        let digit = builder.combine(&of_place, columns, all, TensorKind::Code, epilogue)?;
        if place > 0 {
            let wide = NodeError::AccumulatorRange { bound: i128::from(unit) << (8 * place) };
            let multiple = unit.checked_mul(counts).ok_or(wide)?;
            terms.extend(times(builder, &of_place, (digit, columns), -multiple, &read)?);
        }
        digits.push(digit);
    }
    Ok(digits)
}

/// `multiple` times the codes of a tensor of `columns` columns, which `read` reads.
pub(super) fn times(
    builder: &mut Builder,
    name: &str,
    (digit, columns): (TensorId, usize),
    multiple: i64,
    read: impl Fn(TensorId) -> Matrix,
) -> Result<Vec<Summand>, NodeError> {
    let most = 255.0 * multiple.unsigned_abs() as f64;
    if most <= MAX_IMAGE * MOST_TABLES {
        let tables = words::tables(most)?;
        let table = |at| Function::table(|code| words::share(multiple * code, at, tables));
        return Ok((0..tables).map(|at| (read(digit), table(at))).collect());
    }
    let bits = multiple.trailing_zeros().min(OF_TABLE);
    let rest = multiple >> bits;
    if rest.unsigned_abs().div_ceil(MAX_FACTOR) as f64 > MOST_TABLES {
        return Err(NodeError::NoTables);
    }
    let terms = vec![(read(digit), Function::table(|code| code << bits))];
    let kind = TensorKind::Integer { bits: signed_bits(255 << bits) };
    let name = rowwise::part(name, "integer");
    let of = builder.combine(&name, columns, terms, kind, Epilogue::Accumulator)?;
    Ok(factors(rest).into_iter().map(|factor| (read(of), Function::Times(factor))).collect())
}

/// Factors that come to `all`, none of them larger than those of integers and products may be.
pub(super) fn factors(all: i64) -> Vec<i64> {
    let count = all.unsigned_abs().div_ceil(MAX_FACTOR).max(1) as i64;
    let share = |at: i64| (i128::from(all) * i128::from(at) / i128::from(count)) as i64;
    (0..count).map(|at| share(at + 1) - share(at)).collect()
}

/// Levels that a row has, in several codes of 255 steps each.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    pub(super) tensor: TensorId,
    pub(super) parts: usize,
}

impl Level {
    /// `of` the level of each row, an integer of at most `2^61` in size.
    pub(super) fn integers(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        part: &str,
        of: &dyn Fn(usize) -> i64,
    ) -> Result<TensorId, NodeError> {
        let most = self.most(of);
        let bits = OF_TABLE + 7;
        if most < 1 << bits {
            return self.small(x, builder, part, of);
        }
        // The rest of a division, and as many times the quotient.
        let quotient = |level: usize| of(level) >> bits;
        let rest = |level: usize| of(level) & ((1 << bits) - 1);
        let high = self.integers(x, builder, &format!("{part}/high"), &quotient)?;
        let low = self.small(x, builder, &format!("{part}/low"), &rest)?;
        let terms = vec![
            (x.rows_of(high), Function::Times(1 << bits)),
            (x.rows_of(low), Function::Times(1)),
        ];
        x.row_integers(builder, part, terms, most + (1 << bits))
    }

    /// The largest `of` a level in size.
    fn most(&self, of: &dyn Fn(usize) -> i64) -> i64 {
        (0..=255 * self.parts).map(|level| of(level).abs()).max().unwrap_or(0)
    }

    fn small(
        &self,
        x: &Rowwise,
        builder: &mut Builder,
        part: &str,
        of: &dyn Fn(usize) -> i64,
    ) -> Result<TensorId, NodeError> {
        let term = |at: usize| {
            let base = if at == 0 { 0 } else { of(255 * at) };
            let function = Function::table(|code| of(255 * at + code as usize) - base);
            Ok((x.part_of(self.tensor, self.parts, at)?, function))
        };
        let terms = (0..self.parts).map(term).collect::<Result<Vec<_>, NodeError>>()?;
        x.row_integers(builder, part, terms, self.most(of))
    }
}
