//! Integers of many bits: their digits to base 256 one after the other, and functions of levels.

use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::rowwise::{self, Rowwise, Summand};
use super::words::ALL;
use crate::graph::{Edges, Epilogue, Function, TensorId, TensorKind};

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
            let all = i128::from(unit) << (8 * place);
            let wide = NodeError::AccumulatorRange { bound: 255 * all };
            let multiple = i64::try_from(255 * all).map_err(|_| wide)? / 255;
            terms.push((read(digit), Function::table(|code| -multiple * code)));
        }
        digits.push(digit);
    }
    Ok(digits)
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
        let term = |at: usize| {
            let base = if at == 0 { 0 } else { of(255 * at) };
            let function = Function::table(|code| of(255 * at + code as usize) - base);
            Ok((x.part_of(self.tensor, self.parts, at)?, function))
        };
        let terms = (0..self.parts).map(term).collect::<Result<Vec<_>, NodeError>>()?;
        let most = (0..=255 * self.parts).map(|level| of(level).abs()).max();
        x.row_integers(builder, part, terms, most.unwrap_or(0))
    }
}
