//! Products of two tensors that the graph computes, element by element.

use super::builder::{Builder, Source};
use super::error::NodeError;
use super::matrix::Matrix;
use crate::graph::{Edges, Epilogue, Op, TensorId, TensorKind, Term};

/// The codes that `edges`, one step or one for each column, make of `(a - zeros[0]) * (b - zeros[1])`, tensors read as
/// matrices of `columns` columns.
pub(super) fn multiply(
    builder: &mut Builder,
    name: &str,
    columns: usize,
    operands: [&Matrix; 2],
    zeros: [u8; 2],
    edges: Vec<Edges>,
) -> Result<TensorId, NodeError> {
    let Source { x, gather } = builder.source(operands[0], false)?;
    let function = builder.source(operands[1], false)?.factor(zeros, 1);
    let terms = vec![Term { x, gather, taps: 1, function }];
    let y = builder.rows_of(operands[0].size().0, columns, TensorKind::Code);
    builder.push(name, Op::Combine { terms, y, epilogue: Epilogue::Edges(edges) });
    Ok(y)
}

/// The edges of `code` of two codes that occur, as a function of the product of the codes less their zeros; `None` if it
/// is no monotone one.
pub(super) fn edges(
    zeros: [u8; 2],
    occurring: [&[u8]; 2],
    code: impl Fn(u8, u8) -> u8,
) -> Option<Edges> {
    let (mut least, mut largest) = ([i64::MAX; 256], [i64::MIN; 256]);
    for &a in occurring[0] {
        for &b in occurring[1] {
            let code = usize::from(code(a, b));
            let product =
                (i64::from(a) - i64::from(zeros[0])) * (i64::from(b) - i64::from(zeros[1]));
            least[code] = least[code].min(product);
            largest[code] = largest[code].max(product);
        }
    }
    let occurring: Vec<usize> = (0..256).filter(|&code| least[code] <= largest[code]).collect();
    if occurring.windows(2).any(|pair| largest[pair[0]] >= least[pair[1]]) {
        return None;
    }
    let first = u8::try_from(*occurring.first()?).ok()?;
    let of_pair = |pair: &[usize]| std::iter::repeat_n(least[pair[1]], pair[1] - pair[0]);
    Some(Edges { first, edges: occurring.windows(2).flat_map(of_pair).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_those_of_products() {
        let zeros = [130, 7];
        let product = |a: u8, b: u8| (i64::from(a) - 130) * (i64::from(b) - 7);
        let code = |a, b| (product(a, b).div_euclid(100) + 90).clamp(4, 250) as u8;
        let all: Vec<u8> = (0..=255).collect();
        let found = edges(zeros, [&all, &all], code).expect("a monotone function");
        for a in 0..=255 {
            for b in 0..=255 {
                assert_eq!(found.code(product(a, b)), code(a, b));
            }
        }
        assert_eq!(edges(zeros, [&all, &all], |a, _| a), None);
        assert_eq!(edges(zeros, [&all, &all], |a, b| 255 - code(a, b)), None);
        // Beside one number alone, it grows with the other.
        assert!(edges(zeros, [&all, &[9]], |a, _| a).is_some());
    }
}
