//! Positions that are counted from an input: how many of the ids up to a token are no padding, or of a mask are ones.
//!
//! `p = count * kept + plus`, as in `CumSum(ids != pad) * (ids != pad) + pad`. What is kept is a column of the ids' one-hot rows;
//! the count is a sum of sums of twice as many each, and the position a row of a one among zeros.

use super::arithmetic::{Operation, uniform};
use super::builder::Builder;
use super::error::NodeError;
use super::matrix::Matrix;
use super::node::NodeView;
use super::one_hot;
use super::operands::integers;
use super::rowwise::part;
use super::value::Value;
use super::view::View;
use crate::array::{Array, ArrayData};
use crate::graph::{Epilogue, Function, InputTransform, TensorId, TensorKind, signed_bits};

/// A number for each token that is computed of an input of numbers.
#[derive(Debug, Clone)]
pub(super) struct Counted {
    /// How the input is seen.
    pub(super) view: View,
    kept: Kept,
    stage: Stage,
}

/// Which tokens count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Those whose id is another, of so many.
    IdsBut { pad: i64, vocabulary: usize },
    /// Those of a mask that are ones.
    Mask,
}

/// What has been computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// 1 for each token that does not count.
    Dropped,
    /// 1 for each token that counts.
    Kept,
    /// How many count up to each token.
    Count,
    /// That of tokens that count, 0 for others, and a number.
    Position(i64),
}

impl Counted {
    /// Whether ids of a `vocabulary`, seen as `view`, are `pad`.
    pub(super) fn are(view: &View, pad: i64, vocabulary: usize) -> Self {
        let kept = Kept::IdsBut { pad, vocabulary };
        Self { view: view.clone(), kept, stage: Stage::Dropped }
    }

    /// The ones of a mask that is seen as `view`.
    pub(super) fn mask(view: &View) -> Self {
        Self { view: view.clone(), kept: Kept::Mask, stage: Stage::Kept }
    }

    /// The other tokens; `None` if these are no flags.
    pub(super) fn negated(&self) -> Option<Self> {
        let stage = match self.stage {
            Stage::Dropped => Stage::Kept,
            Stage::Kept => Stage::Dropped,
            Stage::Count | Stage::Position(_) => return None,
        };
        Some(Self { stage, ..self.clone() })
    }

    /// How many there are up to each token; `None` if these are no tokens that count.
    pub(super) fn summed(&self) -> Option<Self> {
        (self.stage == Stage::Kept).then(|| Self { stage: Stage::Count, ..self.clone() })
    }

    /// The same plus a number; `None` if that is no position.
    fn plus(&self, number: i64) -> Option<Self> {
        match self.stage {
            _ if number == 0 => Some(self.clone()),
            Stage::Position(plus) => {
                let stage = Stage::Position(plus.checked_add(number)?);
                Some(Self { stage, ..self.clone() })
            }
            _ => None,
        }
    }

    /// The counts of tokens that count, 0 for others.
    fn of_kept(&self, kept: &Self) -> Option<Self> {
        let same = (&self.view, self.kept) == (&kept.view, kept.kept);
        let stages = (self.stage, kept.stage) == (Stage::Count, Stage::Kept);
        (same && stages).then(|| Self { stage: Stage::Position(0), ..self.clone() })
    }

    /// A tensor that has a row of `rows` codes for each position: a one among zeros.
    pub(super) fn one_hot(
        &self,
        builder: &mut Builder,
        name: &str,
        rows: usize,
    ) -> Result<TensorId, NodeError> {
        let expected = "positions up to the last row of the table";
        let wrong = NodeError::Operand { index: 1, expected };
        let Stage::Position(plus) = self.stage else { return Err(wrong) };
        let tokens = self.view.elements();
        let plus = usize::try_from(plus).ok().filter(|plus| plus.saturating_add(tokens) < rows);
        let plus = plus.ok_or(wrong)?;
        let count = self.count(builder, name, tokens)?;
        // Number `v` is reached by `v - plus` tokens that count, and what lies before them by all.
        let of_all = -(2.0 * tokens as f64 + 2.0);
        let reached = |v: usize| if v <= plus { of_all } else { v as f64 - plus as f64 - 0.5 };
        one_hot::rows(builder, name, &count, rows, reached)
    }

    /// How many tokens count up to each, less more than all of them where it does not count itself.
    fn count(&self, builder: &mut Builder, name: &str, tokens: usize) -> Result<View, NodeError> {
        let (of, flags) = match self.kept {
            Kept::Mask => {
                let transform = InputTransform::Numbers { count: 2 };
                builder.quantized_input(transform, self.view.clone())?;
                let mask = self.view.reshaped(&[tokens]).ok_or(NodeError::NoView { index: 1 })?;
                (mask, [0, 1])
            }
            Kept::IdsBut { pad, vocabulary } => {
                (self.are_pads(builder, (pad, vocabulary), tokens)?, [1, 0])
            }
        };
        let kind = TensorKind::Integer { bits: signed_bits(2 * tokens as i64 + 1) };
        let read = |view: &View| Matrix::laid_out(view, |_| true);
        let kept = move |code: i64| flags[code.clamp(0, 1) as usize];
        let sum = |builder: &mut Builder, part: String, terms| {
            let y = builder.combine(&part, tokens, terms, kind, Epilogue::Accumulator)?;
            Ok::<_, NodeError>(View::new(y, &[tokens], |_| true))
        };
        let first = vec![(read(&of), Function::table(kept))];
        let mut counts = sum(builder, part(name, "kept"), first)?;
        let mut behind = 1;
        while behind < tokens {
            let before = counts.clone().placed(0, behind, tokens + behind);
            let before = before.and_then(|view| view.sliced(0, 0, 1, tokens));
            let before = before.ok_or(NodeError::NoView { index: 1 })?;
            let terms =
                vec![(read(&counts), Function::Times(1)), (read(&before), Function::Times(1))];
            counts = sum(builder, part(name, &format!("count{behind}")), terms)?;
            behind *= 2;
        }
        let out = tokens as i64 + 1;
        let dropped = Function::table(move |code| -out * (1 - kept(code)));
        let terms = vec![(read(&counts), Function::Times(1)), (read(&of), dropped)];
        sum(builder, part(name, "position"), terms)
    }

    /// Codes that are 1 where the ids, of so many, are `pad`.
    fn are_pads(
        &self,
        builder: &mut Builder,
        (pad, vocabulary): (i64, usize),
        tokens: usize,
    ) -> Result<View, NodeError> {
        let no_view = NodeError::NoView { index: 1 };
        if Matrix::rows_and_columns(&self.view, 0).in_order().is_none() {
            return Err(no_view);
        }
        let wrong = NodeError::IndexRange { index: 1, value: pad, size: vocabulary };
        let pad = usize::try_from(pad).ok().filter(|pad| *pad < vocabulary).ok_or(wrong)?;
        let ids = builder.one_hot_input(&self.view, vocabulary)?;
        let view = View::new(ids, &[tokens, vocabulary], |dim| dim == 1);
        Ok(view.sliced(1, pad, 1, 1).ok_or(no_view)?.squeezed(1))
    }
}

/// `operation` of operands 0 and 1, if one is such a number.
pub(super) fn arithmetic(
    node: &NodeView<'_>,
    operation: Operation,
) -> Result<Option<Value>, NodeError> {
    let made = match (node.value(0)?, node.value(1)?, operation) {
        (Value::Counted(a), Value::Counted(b), Operation::Mul) => {
            a.of_kept(b).or_else(|| b.of_kept(a))
        }
        (Value::Counted(count), Value::NumberInput(mask), Operation::Mul)
        | (Value::NumberInput(mask), Value::Counted(count), Operation::Mul) => {
            count.of_kept(&Counted::mask(mask))
        }
        (Value::Counted(of), Value::Constant(number), Operation::Add)
        | (Value::Constant(number), Value::Counted(of), Operation::Add) => of.plus(one(number)?),
        (Value::Counted(of), Value::Constant(number), Operation::Sub) => {
            of.plus(one(number)?.saturating_neg())
        }
        (Value::Counted(_), _, _) | (_, Value::Counted(_), _) => None,
        _ => return Ok(None),
    };
    let expected = "how many ids up to each are no padding, times whether each is, and a number";
    made.map(|made| Some(Value::Counted(made))).ok_or(NodeError::Operand { index: 0, expected })
}

/// The one number of a constant of integers.
pub(super) fn one(constant: &Array) -> Result<i64, NodeError> {
    if let ArrayData::I64(values) = constant.data() {
        return uniform(values, 1);
    }
    let values = integers(constant).ok_or(NodeError::OperandType { index: 1 })?;
    uniform(&values, 1).map(i64::from)
}
