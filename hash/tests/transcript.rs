//! The transcript: both sides agree, every difference shows, draws have their distribution.

use binfer_field::F128;
use binfer_hash::Transcript;

const fn element(i: u128) -> F128 {
    F128::new(i)
}

fn after(calls: impl FnOnce(&mut Transcript)) -> F128 {
    let mut transcript = Transcript::new("test v1");
    calls(&mut transcript);
    transcript.challenge("end")
}

#[test]
fn equal_histories_give_equal_draws() {
    let side = || {
        let mut t = Transcript::new("test v1");
        t.absorb_bytes("statement", b"model");
        t.absorb("round", &[element(1), element(2)]);
        let first = t.challenge("r");
        t.absorb("round", &[first]);
        (first, t.challenges("batch", 5), t.nonzero_challenges("h", 3), t.positions("q", 10, 7))
    };
    assert_eq!(side(), side());
}

#[test]
fn different_histories_give_different_draws() {
    let one = [element(1)];
    let one_bytes = one[0].to_le_bytes();
    let draws = [
        after(|_| {}),
        // Labels, lengths and types are bound.
        after(|t| t.absorb_bytes("a", b"bc")),
        after(|t| t.absorb_bytes("ab", b"c")),
        after(|t| t.absorb_bytes("", b"abc")),
        after(|t| t.absorb_bytes("abc", b"")),
        after(|t| t.absorb_bytes("a", &one_bytes)),
        after(|t| t.absorb("a", &one)),
        after(|t| t.absorb("b", &one)),
        after(|t| t.absorb("a", &[element(2)])),
        // So are the borders between messages.
        after(|t| t.absorb("a", &[element(1), element(1)])),
        after(|t| {
            t.absorb("a", &one);
            t.absorb("a", &one);
        }),
        after(|t| {
            t.absorb_bytes("a", b"b");
            t.absorb_bytes("a", b"c");
        }),
        after(|t| {
            t.absorb_bytes("a", b"c");
            t.absorb_bytes("a", b"b");
        }),
        after(|t| t.absorb("a", &[])),
        // A message may not imitate a frame.
        after(|t| t.absorb_bytes("a", b"b\x01\x01\0\0\0\0\0\0\0a\x01\0\0\0\0\0\0\0c")),
        // What was drawn is bound as well, and how much of it.
        after(|t| {
            let _ = t.challenge("a");
        }),
        after(|t| {
            let _ = t.challenges("a", 0);
        }),
        after(|t| {
            let _ = t.challenges("a", 2);
        }),
        after(|t| {
            let _ = t.nonzero_challenges("a", 1);
        }),
        after(|t| {
            let _ = t.positions("a", 1, 1);
        }),
        after(|t| {
            let _ = t.positions("a", 2, 1);
        }),
        after(|t| {
            let _ = t.check_grinding(0, 0);
        }),
        after(|t| {
            let _ = t.check_grinding(0, 1);
        }),
        after(|t| {
            let _ = t.check_grinding(1, 0);
        }),
        Transcript::new("test v2").challenge("end"),
        Transcript::new("test v1").challenge("End"),
    ];
    for (i, a) in draws.iter().enumerate() {
        for (j, b) in draws.iter().enumerate().skip(i + 1) {
            assert_ne!(a, b, "histories {i} and {j}");
        }
    }
}

#[test]
fn one_challenge_is_a_batch_of_one() {
    let mut a = Transcript::new("test v1");
    let mut b = a.clone();
    assert_eq!(vec![a.challenge("r")], b.challenges("r", 1));
    assert_eq!(a.challenge("s"), b.challenge("s"));
}

#[test]
fn a_clone_goes_its_own_way() {
    let mut a = Transcript::new("test v1");
    let mut b = a.clone();
    b.absorb_bytes("only here", b"");
    assert_ne!(a.challenge("r"), b.challenge("r"));
}

#[test]
fn draws_do_not_repeat() {
    let mut t = Transcript::new("test v1");
    let mut draws = t.challenges("r", 1000);
    draws.extend((0..1000).map(|_| t.challenge("r")));
    draws.extend(t.nonzero_challenges("r", 1000));
    draws.sort_unstable();
    draws.dedup();
    assert_eq!(draws.len(), 3000);
}

#[test]
fn every_bit_of_a_challenge_is_balanced() {
    let draws = Transcript::new("test v1").challenges("r", 4096);
    for bit in 0..128 {
        let ones = draws.iter().filter(|x| x.to_bits() >> bit & 1 == 1).count();
        // Eight standard deviations of 32 each.
        assert!(ones.abs_diff(2048) < 256, "bit {bit}: {ones} ones");
    }
}

#[test]
fn positions_fill_their_range_evenly() {
    let mut t = Transcript::new("test v1");
    assert_eq!(t.positions("q", 0, 3), [0; 3]);
    assert!(t.positions("q", 20, 0).is_empty());
    let mut counts = [0u32; 16];
    for position in t.positions("q", 4, 16 << 10) {
        counts[position] += 1;
    }
    assert!(counts.iter().all(|count| count.abs_diff(1 << 10) < 256), "{counts:?}");
    assert!(t.positions("q", usize::BITS - 1, 100).iter().any(|&q| q >> (usize::BITS - 2) == 1));
}

#[cfg(feature = "prover")]
#[test]
fn grinding_is_checked() {
    for bits in [0, 1, 5, 12] {
        let mut prover = Transcript::new("test v1");
        prover.absorb_bytes("context", &[bits as u8]);
        let mut verifier = prover.clone();
        let nonce = prover.grind(bits);
        assert!(verifier.check_grinding(bits, nonce));
        assert_eq!(prover.challenge("r"), verifier.challenge("r"));

        let start = {
            let mut t = Transcript::new("test v1");
            t.absorb_bytes("context", &[bits as u8]);
            t
        };
        assert!((0..nonce).all(|smaller| !start.clone().check_grinding(bits, smaller)));
        assert!(!start.clone().check_grinding(bits + 40, nonce));
        assert!(!start.clone().check_grinding(u32::MAX, nonce));
        let mut other = start.clone();
        let _ = other.check_grinding(bits, nonce + 1);
        assert_ne!(other.challenge("r"), Transcript::clone(&verifier).challenge("r"));
    }
    assert!(!Transcript::new("test v1").check_grinding(0, 1));
}
