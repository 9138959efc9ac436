//! Attention: rotated queries and keys, scores of earlier positions, softmax, and what heads give.

use super::builder::{
    Builder, To, along, gather, linear, mapped, repeated, straight, term, through,
};
use super::functions::rotations;
use super::network::Sizes;
use crate::graph::{Edges, Function, Gather, GatherDim, TensorId, signed_bits};
use crate::softmax::Functions;

/// A sine or cosine of 1 as a code, less that of 0.
const ONE: f64 = 127.0;

/// The code of distances that stand for infinity.
const NEVER: i64 = 255;

/// What a step of a softmax's output stands for.
const SHARE: f64 = 1.0 / 255.0;

/// Elements that a maximum is of.
const TAPS: usize = 4;

/// What is public and the same in all layers.
pub(super) struct Positions {
    tokens: usize,
    cos: TensorId,
    /// With the sign of the first of a pair turned.
    sin: TensorId,
    /// 1 where a row's position is before a column's.
    later: TensorId,
}

/// Queries, keys and values as codes, with what a step of each stands for.
pub(super) struct Projected {
    pub(super) q: (TensorId, f64),
    pub(super) k: (TensorId, f64),
    pub(super) v: TensorId,
}

impl Builder {
    pub(super) fn positions(&mut self, sizes: &Sizes, tokens: usize) -> Positions {
        let turns = rotations(sizes.base, sizes.head() / 2, tokens);
        let codes = |of: &dyn Fn(usize, (f64, f64)) -> f64| -> Vec<u8> {
            let code = |value: f64| (128.0 + ONE * value).round_ties_even() as u8;
            let feature = |at: usize| turns.iter().map(move |turns| of(at, turns[at / 2]));
            (0..sizes.head()).flat_map(feature).map(code).collect()
        };
        let cos = codes(&|_, (_, cos)| cos);
        let sin = codes(&|feature, (sin, _)| if feature % 2 == 0 { -sin } else { sin });
        let later = (0..tokens).flat_map(|key| (0..tokens).map(move |row| u8::from(key > row)));
        let later = later.collect();
        Positions {
            tokens,
            cos: self.constant("cos", tokens, cos),
            sin: self.constant("sin", tokens, sin),
            later: self.constant("later", tokens, later),
        }
    }

    /// Codes rotated by their positions: `heads * head` integers of each token, in units of `1 / ONE` of a code.
    fn rotated(
        &mut self,
        name: String,
        x: TensorId,
        (heads, head): (usize, usize),
        at: &Positions,
    ) -> TensorId {
        let tokens = at.tokens;
        let features = heads * head;
        let source: (&[usize], &[usize]) = (&[head], &[tokens]);
        let with = gather(source, &[0, 0], &[along(1, tokens)], &[repeated(heads), along(0, head)]);
        let product = |with_tensor| Function::Product {
            with: with_tensor,
            with_gather: Some(with.clone()),
            zeros: [128; 2],
            factor: 1,
        };
        let source: (&[usize], &[usize]) = (&[features], &[tokens]);
        let same = gather(source, &[0, 0], &[along(1, tokens)], &[along(0, features)]);
        // The other of each pair.
        let pairs = GatherDim { size: features / 2, axis: Some(0), step: 2 };
        let back = GatherDim { size: 2, axis: Some(0), step: -1 };
        let other = gather(source, &[1, 0], &[along(1, tokens)], &[pairs, back]);
        let terms = vec![mapped(x, same, 1, product(at.cos)), mapped(x, other, 1, product(at.sin))];
        let bits = signed_bits(2 * 128 * 128);
        self.sum(name, (tokens, features), terms, To::Integers(bits))
    }

    /// What heads give, in codes of which a step stands for one of the values. Scores are at most `score` in size.
    pub(super) fn attention(
        &mut self,
        name: &str,
        sizes: &Sizes,
        x: &Projected,
        at: &Positions,
        score: f64,
    ) -> TensorId {
        let of = |part: &str| format!("{name}/{part}");
        let (tokens, head) = (at.tokens, sizes.head());
        let Sizes { heads, kv_heads, .. } = *sizes;
        let q = self.rotated(of("rotated_q"), x.q.0, (heads, head), at);
        let k = self.rotated(of("rotated_k"), x.k.0, (kv_heads, head), at);
        // Columns of scores: heads, and then keys; heads that share keys are neighbours.
        let groups = [along(0, kv_heads), repeated(heads / kv_heads)];
        let shared = |rows: GatherDim, last: GatherDim| -> Gather {
            let cols = [&groups[..], &[last]].concat();
            gather((&[kv_heads, head], &[tokens]), &[0, 0, 0], &[rows], &cols)
        };
        let keys = through(k, shared(along(1, head), along(2, tokens)), 0);
        let size = (tokens, heads * tokens);
        let scale = score / 127.0;
        let product = x.q.1 * x.k.1 / (ONE * ONE * (head as f64).sqrt());
        let operands = [straight(q, 0), keys];
        let to = To::Codes(linear(scale / product));
        let scores = self.batch_matmul(of("scores"), size, operands, heads, None, to);
        // Those of later positions are 0, and infinitely far from the largest.
        let later = gather(
            (&[tokens], &[tokens]),
            &[0, 0],
            &[along(1, tokens)],
            &[repeated(heads), along(0, tokens)],
        );
        let is_later = |factor: i64| {
            mapped(
                at.later,
                later.clone(),
                1,
                Function::table(|code| if code > 0 { factor } else { 0 }),
            )
        };
        let terms = vec![term(scores, Function::table(|code| code)), is_later(-NEVER)];
        let masked = self.sum(of("masked"), size, terms, To::Codes(Edges::clamped()));
        // The largest of a few at a time: what a maximum commits grows with how many it is of.
        let (mut most, mut length) = (masked, tokens);
        while length > 1 {
            let taps = TAPS.min(length);
            let blocks = length.div_ceil(taps);
            let block = GatherDim { size: blocks, axis: Some(1), step: taps as i64 };
            let dims = [along(0, heads), block, along(1, taps)];
            let source: (&[usize], &[usize]) = (&[heads, length], &[tokens]);
            let mut map = gather(source, &[0; 3], &[along(2, tokens)], &dims);
            map.pad = Some(0);
            let name = of(&format!("max{blocks}"));
            most = self.max(name, (tokens, heads * blocks), most, map, taps);
            length = blocks;
        }
        let each = gather(
            (&[heads], &[tokens]),
            &[0, 0],
            &[along(1, tokens)],
            &[along(0, heads), repeated(tokens)],
        );
        let broadcast = |x: TensorId, function: Function| mapped(x, each.clone(), 1, function);
        let terms = vec![
            broadcast(most, Function::table(|code| code)),
            term(masked, Function::table(|code| -code)),
            is_later(NEVER),
        ];
        let below = self.sum(of("below"), size, terms, To::Codes(Edges::clamped()));
        let softmax = Functions::new(scale, tokens, Some(NEVER), (SHARE, 1.0));
        let mut terms = vec![term(below, softmax.distances())];
        for part in 0..softmax.parts() {
            let all = gather(
                (&[heads * tokens], &[tokens]),
                &[0, 0],
                &[along(1, tokens)],
                &[along(0, heads * tokens)],
            );
            let summed = mapped(below, all, tokens, softmax.exponentials());
            let to = To::Codes(softmax.edges(part));
            let sum = self.sum(of(&format!("sum{part}")), (tokens, heads), vec![summed], to);
            terms.push(broadcast(sum, softmax.logarithms(part)));
        }
        let shares = self.sum(of("softmax"), size, terms, To::Codes(softmax.outputs(0, 0, 255)));
        let values = through(x.v, shared(along(2, tokens), along(1, head)), 128);
        let size = (tokens, heads * head);
        let to = To::Codes(linear(255.0));
        self.batch_matmul(of("heads"), size, [straight(shares, 0), values], heads, None, to)
    }
}
