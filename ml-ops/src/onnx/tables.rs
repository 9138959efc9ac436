//! Tables of small integers whose sum decides a function of two codes.
//!
//! A function `h(i, j)` that grows with `f(i) + g(j)`, for functions `f` and `g` of real values, is a step
//! function of `F(i) + G(j)` for integer tables `F` and `G` close enough to multiples of `f` and `g`. The
//! smaller the multiple, the fewer bits a sum lies from the edges of its step. Where `f` and `g` are linear,
//! multiples by which they become nearly integers at once are much smaller than powers of two that hold.

use super::error::NodeError;
use crate::graph::Edges;

/// Pairs of codes.
pub(super) const PAIRS: usize = 1 << 16;

/// Largest entry of a table.
const LARGEST: f64 = (1u64 << 30) as f64;

/// Of so many pairs one may have a code beside that of the float operators, where integers are nearest to functions.
const OF_PAIRS: usize = 128;

type Table = Box<[i64; 256]>;

/// Refuses codes `of` pairs, at most 1 from those at `256 * i + j` of `codes` and equal but for a few if they are near.
pub(super) fn near(codes: &[u8; PAIRS], of: impl Fn(usize, usize) -> u8) -> Result<(), NodeError> {
    let mut differ = 0;
    for (at, &code) in codes.iter().enumerate() {
        match of(at / 256, at % 256).abs_diff(code) {
            0 => {}
            1 => differ += 1,
            _ => return Err(NodeError::NoTables),
        }
    }
    if differ > PAIRS / OF_PAIRS { Err(NodeError::NoTables) } else { Ok(()) }
}

/// The code at `256 * i + j` is that of a pair.
pub(super) fn pairs(code: impl Fn(usize, usize) -> u8) -> Box<[u8; PAIRS]> {
    let mut codes = Box::new([0; PAIRS]);
    for (at, out) in codes.iter_mut().enumerate() {
        *out = code(at / 256, at % 256);
    }
    codes
}

/// Tables `F`, `G` and edges such that the code at `256 * i + j` of `codes` is that of `F[i] + G[j]`, for all
/// pairs; `f` and `g` are the functions with whose sum `codes` grow, in units of codes. `None` if no tables
/// are found.
pub(super) fn adding_up(
    codes: &[u8; PAIRS],
    f: &[f64; 256],
    g: &[f64; 256],
) -> Option<(Table, Table, Edges)> {
    let mut candidates: Vec<(f64, Table, Table)> = (0..=30)
        .map_while(|bits| {
            let multiple = f64::from(1u32 << bits);
            Some((multiple, rounded(f, multiple)?, rounded(g, multiple)?))
        })
        .collect();
    if let Some((a, b)) = linear(f).zip(linear(g)) {
        for (p, q) in fractions((a / b).abs()) {
            let table = |slope: f64, of: i64| -> Table {
                let first = if slope < 0.0 { 255 } else { 0 };
                Box::new(std::array::from_fn(|i| (i as i64 - first) * of * slope.signum() as i64))
            };
            candidates.push((p as f64 / a.abs(), table(a, p), table(b, q)));
        }
    }
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
    candidates.into_iter().find_map(|(_, f, g)| {
        let edges = separating(codes, &f, &g)?;
        Some((f, g, edges))
    })
}

/// The multiple of a function, from its least value on, in integers.
fn rounded(f: &[f64; 256], multiple: f64) -> Option<Table> {
    let least = f.iter().copied().fold(f64::INFINITY, f64::min);
    let most = f.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let fits = (most - least) * multiple < LARGEST;
    fits.then(|| Box::new(f.map(|x| ((x - least) * multiple).round_ties_even() as i64)))
}

/// The slope of a function of codes that is linear up to float32's rounding, and not constant.
fn linear(f: &[f64; 256]) -> Option<f64> {
    let slope = (f[255] - f[0]) / 255.0;
    let largest = f[0].abs().max(f[255].abs());
    let close = |(i, x): (usize, &f64)| (f[0] + i as f64 * slope - x).abs() <= 1e-6 * largest;
    (slope != 0.0 && f.iter().enumerate().all(close)).then_some(slope)
}

/// Fractions close to `ratio`, the convergents of its continued fraction and those between them.
fn fractions(ratio: f64) -> Vec<(i64, i64)> {
    let (mut before, mut last) = ((0i64, 1i64), (1i64, 0i64));
    let mut found = Vec::new();
    let mut rest = ratio;
    while last.0 < 1 << 22 && last.1 < 1 << 22 && rest.is_finite() && rest < 1e7 {
        let whole = rest.floor();
        let next = |n: i64| (before.0 + n * last.0, before.1 + n * last.1);
        let whole_number = whole as i64;
        let steps = (1..=whole_number.min(24)).chain([whole_number]);
        // Entries up to 255 times them fit the tables.
        found.extend(steps.map(next).filter(|&(p, q)| p > 0 && q > 0 && p.max(q) < 1 << 22));
        (before, last) = (last, next(whole_number));
        rest = 1.0 / (rest - whole);
    }
    found
}

/// The edges by which sums of tables decide codes; `None` if they do not.
fn separating(codes: &[u8; PAIRS], f: &[i64; 256], g: &[i64; 256]) -> Option<Edges> {
    let (mut least, mut largest) = ([i64::MAX; 256], [i64::MIN; 256]);
    for (row, x) in codes.chunks_exact(256).zip(f) {
        for (&code, y) in row.iter().zip(g) {
            let code = usize::from(code);
            least[code] = least[code].min(x + y);
            largest[code] = largest[code].max(x + y);
        }
    }
    let occurring: Vec<usize> = (0..256).filter(|&code| least[code] <= largest[code]).collect();
    let (&first, &last) = (occurring.first()?, occurring.last()?);
    if occurring.windows(2).any(|pair| largest[pair[0]] >= least[pair[1]]) {
        return None;
    }
    let mut edges = Vec::with_capacity(last - first);
    for pair in occurring.windows(2) {
        let edge = least[pair[1]];
        edges.extend(std::iter::repeat_n(edge, pair[1] - pair[0]));
    }
    Some(Edges { first: first as u8, edges: edges.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code of a sum of functions, rounded once to float32 and then to an integer.
    fn codes(f: &[f64; 256], g: &[f64; 256]) -> Box<[u8; PAIRS]> {
        let mut codes = Box::new([0; PAIRS]);
        for (at, code) in codes.iter_mut().enumerate() {
            let sum = (f[at / 256] + g[at % 256]) as f32;
            *code = sum.round_ties_even().clamp(0.0, 255.0) as u8;
        }
        codes
    }

    fn check(f: [f64; 256], g: [f64; 256]) -> i64 {
        let codes = codes(&f, &g);
        let (x, y, edges) = adding_up(&codes, &f, &g).expect("tables");
        for (at, &code) in codes.iter().enumerate() {
            assert_eq!(edges.code(x[at / 256] + y[at % 256]), code, "{at}");
        }
        edges.edges.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0)
    }

    #[test]
    fn linear_functions_need_few_bits() {
        let line = |slope: f64, zero: f64| std::array::from_fn(|i| (i as f64 - zero) * slope);
        // Sums of two codes, of which every other rounds to an even one.
        assert_eq!(check(line(0.5, 0.0), line(0.5, 0.0)), 3);
        assert!(check(line(0.611_23, 12.0), line(0.377_7, -90.0)) < 1 << 10);
        assert!(check(line(0.611_23, 255.0), line(-0.377_7, 200.0)) < 1 << 10);
    }

    #[test]
    fn other_functions_are_rounded() {
        let curve = std::array::from_fn(|i| (i as f64 / 20.0).exp().min(1000.0));
        let line = std::array::from_fn(|i| i as f64 * 0.3);
        assert!(check(curve, line) > 1);
        assert_eq!(check([1.0; 256], [2.0; 256]), 0);
    }

    #[test]
    fn functions_of_no_sum_are_refused() {
        // The least sum has not the least code.
        let ramp = std::array::from_fn(|i| i as f64);
        let mut codes = codes(&ramp, &ramp);
        codes[0] = 9;
        assert_eq!(adding_up(&codes, &ramp, &ramp), None);
    }
}
