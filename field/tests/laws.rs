//! The laws of `Field` and `ExtensionField` on every field of the crate.

use binfer_field::{
    ExtensionField, F128, Field, Tower1, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64,
    Tower128, kernels, tower,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn element<F: Field>() -> impl Strategy<Value = F> {
    prop_oneof![8 => any::<u128>(), 1 => Just(0), 1 => Just(1), 1 => Just(u128::MAX)]
        .prop_map(F::from_bits)
}

macro_rules! field_laws {
    ($name:ident, $field:ty) => {
        mod $name {
            use super::*;

            proptest! {
                #[test]
                fn ring(
                    a in element::<$field>(),
                    b in element::<$field>(),
                    c in element::<$field>(),
                ) {
                    let (zero, one) = (<$field>::ZERO, <$field>::ONE);
                    prop_assert_eq!(a + b, b + a);
                    prop_assert_eq!((a + b) + c, a + (b + c));
                    prop_assert_eq!(a * b, b * a);
                    prop_assert_eq!((a * b) * c, a * (b * c));
                    prop_assert_eq!(a * (b + c), a * b + a * c);
                    prop_assert_eq!((a + zero, a * one, a * zero), (a, a, zero));
                    prop_assert_eq!((a + a, a - b), (zero, a + b));
                    prop_assert_eq!([a, b, c].into_iter().sum::<$field>(), a + b + c);
                    prop_assert_eq!([a, b, c].into_iter().product::<$field>(), a * b * c);
                    let (mut sum, mut difference, mut product) = (a, a, a);
                    sum += b;
                    difference -= b;
                    product *= b;
                    prop_assert_eq!((sum, difference, product), (a + b, a - b, a * b));
                }

                #[test]
                fn bits(a in element::<$field>(), b in element::<$field>()) {
                    let (a_bits, b_bits) = (Field::to_bits(a), Field::to_bits(b));
                    prop_assert_eq!(<$field as Field>::from_bits(a_bits), a);
                    prop_assert_eq!(Field::to_bits(a + b), a_bits ^ b_bits);
                    prop_assert_eq!(a_bits.checked_shr(<$field>::BITS).unwrap_or(0), 0);
                }

                #[test]
                fn inverses(a in element::<$field>(), rest in vec(element::<$field>(), 0..20)) {
                    if a.is_zero() {
                        prop_assert_eq!(a.invert(), a);
                    } else {
                        prop_assert_eq!(a * a.invert(), <$field>::ONE);
                    }
                    let mut inverses = rest.clone();
                    <$field as Field>::batch_invert(&mut inverses);
                    let each: Vec<_> = rest.into_iter().map(Field::invert).collect();
                    prop_assert_eq!(inverses, each);
                }

                #[test]
                fn frobenius(
                    a in element::<$field>(),
                    b in element::<$field>(),
                    times in 0..300u32,
                ) {
                    prop_assert_eq!(a.square(), a * a);
                    prop_assert_eq!((a + b).square(), a.square() + b.square());
                    let squared = (0..times).fold(a, |x, _| x.square());
                    prop_assert_eq!(a.frobenius(times), squared);
                    prop_assert_eq!(a.frobenius(<$field>::BITS), a);
                    prop_assert_eq!(squared.inverse_frobenius(times), a);
                    prop_assert_eq!(a.pow(1 << (times % 128)), a.frobenius(times % 128));
                }

                #[test]
                fn powers(a in element::<$field>(), m in any::<u64>(), n in 0..100u128) {
                    let m = u128::from(m);
                    prop_assert_eq!(a.pow(m + n), a.pow(m) * a.pow(n));
                    prop_assert_eq!(a.pow(n), (0..n).map(|_| a).product());
                    prop_assert_eq!(a.pow(u128::MAX >> (128 - <$field>::BITS)).is_zero(), a.is_zero());
                }
            }
        }
    };
}

field_laws!(tower_1, Tower1);
field_laws!(tower_2, Tower2);
field_laws!(tower_4, Tower4);
field_laws!(tower_8, Tower8);
field_laws!(tower_16, Tower16);
field_laws!(tower_32, Tower32);
field_laws!(tower_64, Tower64);
field_laws!(tower_128, Tower128);
field_laws!(ghash, F128);

/// `From` is an injective homomorphism and the product by a subfield's element agrees with it.
fn embedding<Big: ExtensionField<Small>, Small: Field>(
    a: Big,
    s: Small,
    t: Small,
) -> Result<(), TestCaseError> {
    prop_assert_eq!(Big::from(s + t), Big::from(s) + Big::from(t));
    prop_assert_eq!(Big::from(s * t), Big::from(s) * Big::from(t));
    prop_assert_eq!(Big::from(Small::ONE), Big::ONE);
    prop_assert_eq!(Big::from(s).is_zero(), s.is_zero());
    prop_assert_eq!(a * s, a * Big::from(s));
    Ok(())
}

macro_rules! embeddings {
    ($($name:ident: $small:ty => $($big:ty),+;)+) => {$(
        proptest! {
            #[test]
            fn $name(a in any::<u128>(), s in element::<$small>(), t in element::<$small>()) {
                $(embedding(<$big as Field>::from_bits(a), s, t)?;)+
            }
        }
    )+};
}

embeddings! {
    embed_1: Tower1 => Tower1, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64, Tower128, F128;
    embed_2: Tower2 => Tower4, Tower8, Tower16, Tower32, Tower64, Tower128, F128;
    embed_4: Tower4 => Tower8, Tower16, Tower32, Tower64, Tower128, F128;
    embed_8: Tower8 => Tower16, Tower32, Tower64, Tower128, F128;
    embed_16: Tower16 => Tower32, Tower64, Tower128, F128;
    embed_32: Tower32 => Tower64, Tower128, F128;
    embed_64: Tower64 => Tower128, F128;
    embed_128: Tower128 => F128;
}

proptest! {
    #[test]
    fn isomorphism(a in element::<F128>(), b in element::<F128>(), s in element::<Tower8>()) {
        let to_tower = Tower128::from;
        prop_assert_eq!(to_tower(a * b), to_tower(a) * to_tower(b));
        prop_assert_eq!(to_tower(a + b), to_tower(a) + to_tower(b));
        prop_assert_eq!(F128::from(to_tower(a)), a);
        prop_assert_eq!(to_tower(F128::from(s)), Tower128::from(s));
        prop_assert_eq!(F128::from(Tower128::from(s)), F128::from(Tower64::from(s)));
    }

    #[test]
    fn isomorphism_of_slices(elements in vec(element::<F128>(), 0..200)) {
        let mut images = vec![Tower128::ZERO; elements.len()];
        tower::to_tower(&mut images, &elements);
        let each: Vec<_> = elements.iter().map(|&x| Tower128::from(x)).collect();
        prop_assert_eq!(&images, &each);
        let mut back = vec![F128::ZERO; elements.len()];
        tower::from_tower(&mut back, &images);
        prop_assert_eq!(back, elements);
    }

    #[test]
    fn frobenius_of_slices(elements in vec(element::<F128>(), 0..300), times in 0..300u32) {
        let each: Vec<_> = elements.iter().map(|x| x.frobenius(times)).collect();
        let mut powers = elements;
        kernels::frobenius(&mut powers, times);
        prop_assert_eq!(powers, each);
    }
}
