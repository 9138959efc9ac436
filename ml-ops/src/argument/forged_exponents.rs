//! Provers that cheat on powers of products and on bits of exponents: what a verifier accepts of them leaves a false claim.

use binfer_field::{F128, kernels};
use binfer_hash::Transcript;
use binfer_iop::channel::{ProofReader, ProverChannel, VerifierChannel, VerifyError};
use binfer_iop::product::{BoxShape, RootClaim, Tree};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::plan::{Bit, BitOf, Exponent};
use super::prove::factors as proving;
use super::verify::factors::{self as verifying, OutputProducts};

const ROWS: usize = 6;
const VARS: usize = 3;

/// Bytes of the last two messages: the product at the end, and the bits.
const LAST: usize = 16 * 17;

/// Two codes for each row, the second 16 times the first, less 9 and 3.
struct Case {
    exponent: Exponent,
    codes: [Vec<u8>; 2],
    products: Vec<F128>,
    others: Vec<F128>,
    outputs: Vec<F128>,
}

fn case() -> Case {
    let mut rng = StdRng::seed_from_u64(5);
    let mut nonzero =
        || -> Vec<F128> { (0..ROWS).map(|_| F128::new(rng.random::<u128>() | 1)).collect() };
    let (products, others) = (nonzero(), nonzero());
    let codes = [0, 1].map(|_| (0..ROWS).map(|_| rng.random()).collect::<Vec<u8>>());
    let exponent = Exponent::of_weights(&[(0, 9), (4, 3)]);
    let power = |i: usize| {
        let of: [i128; 2] = [0, 1].map(|c| i128::from(codes[c][i]));
        let e = (of[0] - 9) + 16 * (of[1] - 3);
        let base = if e < 0 { products[i].invert() } else { products[i] };
        base.pow(e.unsigned_abs()) * others[i]
    };
    let outputs = (0..ROWS).map(power).collect();
    Case { exponent, codes, products, others, outputs }
}

fn tree(products: &[F128]) -> Tree<'static> {
    Tree::new(BoxShape { rows: ROWS, cols: 1, fan_in: 1 }, products.to_vec())
}

fn root() -> RootClaim<F128> {
    RootClaim { row_point: Vec::new(), value: F128::ONE }
}

/// What is left of a proof that is accepted: whether the claims on the roots of the three trees are true, and those on bits.
type Left = ([bool; 3], Vec<bool>);

/// Proves `case` as if its codes and products were these, the outputs those of `case`, and verifies it, its bytes changed.
fn outcome(
    case: &Case,
    codes: &[Vec<u8>; 2],
    products: &[F128],
    tamper: impl Fn(&mut [u8]),
) -> Result<Left, VerifyError> {
    let exponent = &case.exponent;
    let trees = [&case.products, &case.others, &case.outputs].map(|of| tree(of));
    let mut channel = ProverChannel::new(Transcript::new("powers"));
    let row_point = channel.challenges("rows", VARS);
    let codes_of: Vec<&[u8]> = codes.iter().map(|codes| &codes[..]).collect();
    let powered = proving::Powered::of_codes(exponent, products.to_vec(), &codes_of, 0);
    let others = vec![(1, case.others.clone())];
    let outputs = (Some(2), case.outputs.clone());
    let mut powers =
        proving::Powers::begin(&mut channel, row_point, vec![powered], others, outputs);
    let mut roots = [root(), root(), root()];
    proving::prove_powers(&mut channel, &mut [&mut powers], &trees, &mut roots);
    let mut proof = channel.finish();
    tamper(&mut proof);

    let mut channel = ProofReader::new(Transcript::new("powers"), &proof);
    let row_point = channel.challenges("rows", VARS);
    let value = channel.receive("powers of rows")?;
    let powers = verifying::Powers {
        products: ROWS,
        row_point,
        value,
        powered: vec![verifying::Powered { exponent, scale: F128::ONE, root: 0 }],
        others: vec![1],
        outputs: OutputProducts::Root(2),
        constant: F128::ONE,
    };
    let mut roots = [root(), root(), root()];
    let bits = verifying::verify_powers(&mut channel, &[&powers], &mut roots)?;
    channel.finish()?;

    let of_roots = [0, 1, 2].map(|i| {
        let (root, products) = (&roots[i], trees[i].outputs());
        let inside: F128 = kernels::eq_table(&root.row_point)
            .iter()
            .enumerate()
            .map(|(r, &eq)| eq * products.get(r).copied().unwrap_or(F128::ONE))
            .sum();
        root.value == inside
    });
    let eq = kernels::eq_table(&bits[0].point);
    let bit = |bit: &Bit| match bit.of {
        BitOf::Code { operand, bit } => {
            let set = case.codes[operand].iter().zip(&eq).filter(|(code, _)| *code >> bit & 1 == 1);
            Some(set.map(|(_, &eq)| eq).sum::<F128>())
        }
        _ => None,
    };
    let truth = case.exponent.bits.iter().filter_map(bit);
    Ok((of_roots, truth.zip(&bits[0].values).map(|(truth, &value)| truth == value).collect()))
}

#[test]
fn true_powers_leave_true_claims() {
    let case = case();
    let left = outcome(&case, &case.codes, &case.products, |_| ());
    assert_eq!(left, Ok(([true; 3], vec![true; 16])));
}

/// An exponent with a false bit is accepted with outputs that are its power, and leaves a false claim on that bit alone.
#[test]
fn a_flipped_bit_leaves_a_false_claim_on_it() {
    let mut case = case();
    for number in 0..16 {
        let (operand, bit) = (number / 8, number % 8);
        let mut codes = case.codes.clone();
        codes[operand][2] ^= 1 << bit;
        let rejected = outcome(&case, &codes, &case.products, |_| ());
        assert!(matches!(rejected, Err(VerifyError::CheckFailed { .. })), "{number}");
        // The same with the output that this exponent gives.
        let honest = case.outputs[2];
        let sign = i128::from(codes[operand][2]) - i128::from(case.codes[operand][2]);
        let power = case.products[2].pow(sign.unsigned_abs() << (4 * operand));
        case.outputs[2] *= if sign < 0 { power.invert() } else { power };
        let (roots, bits) = outcome(&case, &codes, &case.products, |_| ()).unwrap();
        case.outputs[2] = honest;
        assert_eq!(roots, [true; 3]);
        let expected: Vec<bool> = (0..16).map(|other| other != number).collect();
        assert_eq!(bits, expected);
    }
}

#[test]
fn a_false_product_power_or_bit_is_rejected() {
    let case = case();
    // Products that are not those of the tree.
    let mut products = case.products.clone();
    products[1] += F128::new(8);
    assert!(outcome(&case, &case.codes, &products, |_| ()).is_err());
    // Each element of what is sent: values of powers, of other products, the claim on the products and those on bits are among them.
    let n = {
        let len = core::cell::Cell::new(0);
        outcome(&case, &case.codes, &case.products, |proof| len.set(proof.len())).unwrap();
        len.get()
    };
    for at in (0..n).step_by(16) {
        let rejected = outcome(&case, &case.codes, &case.products, |proof| proof[at] ^= 1);
        assert!(matches!(rejected, Err(VerifyError::CheckFailed { .. })), "{at}");
    }
    // The claim on the products, and each bit: no later message depends on them.
    for at in (n - LAST..n).step_by(16) {
        let label = outcome(&case, &case.codes, &case.products, |proof| proof[at + 3] ^= 4);
        assert_eq!(label, Err(VerifyError::CheckFailed { label: "input rows" }));
    }
}
