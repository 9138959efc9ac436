//! Bit compatibility with the Binius tower and the Binius64 GHASH field.

mod vectors;

use binfer_field::{
    F128, Field, Tower2, Tower4, Tower8, Tower16, Tower32, Tower64, Tower128, kernels,
};
use vectors::Row;

fn check<T: Field>(rows: &[Row]) {
    for &[a, b, product, square, inverse] in rows {
        let (a, b) = (T::from_bits(a), T::from_bits(b));
        assert_eq!(a * b, T::from_bits(product));
        assert_eq!(a.square(), T::from_bits(square));
        assert_eq!(a.invert(), T::from_bits(inverse));
    }
}

#[test]
fn ghash() {
    check::<F128>(vectors::GHASH);
}

#[test]
fn tower() {
    check::<Tower8>(vectors::TOWER_8);
    check::<Tower16>(vectors::TOWER_16);
    check::<Tower32>(vectors::TOWER_32);
    check::<Tower64>(vectors::TOWER_64);
    check::<Tower128>(vectors::TOWER_128);
}

#[test]
fn whole_product_tables() {
    for a in 0..4 {
        for b in 0..4 {
            let product = Tower2::new(a) * Tower2::new(b);
            assert_eq!(product.to_bits(), vectors::PRODUCTS_4[usize::from(4 * a + b)]);
        }
    }
    for a in 0..16 {
        for b in 0..16 {
            let product = Tower4::new(a) * Tower4::new(b);
            assert_eq!(product.to_bits(), vectors::PRODUCTS_16[usize::from(16 * a + b)]);
        }
    }
}

/// The product in GF(2)[x] / (x^8 + x^4 + x^3 + x + 1).
fn aes_product(a: u8, b: u8) -> u8 {
    let (mut multiple, mut product) = (u32::from(a), 0);
    for i in 0..8 {
        product ^= u32::from(b >> i & 1) * multiple;
        multiple = (multiple << 1) ^ ((multiple >> 7) * 0x11b);
    }
    product as u8
}

#[test]
fn bytes_through_the_aes_field() {
    let to_aes = |x: Tower8| vectors::TOWER_TO_AES[usize::from(x.to_bits())];
    let all: Vec<_> = (0..=255).map(Tower8::new).collect();
    for &a in &all {
        let mut products = vec![Tower8::ZERO; 256];
        kernels::tower_mul(&mut products, &[a; 256], &all);
        for (&b, product) in all.iter().zip(products) {
            assert_eq!(product, a * b);
            assert_eq!(to_aes(product), aes_product(to_aes(a), to_aes(b)));
        }
    }
}

#[test]
fn the_aes_field_is_isomorphic_to_bytes() {
    // FIPS 197, section 4.2: {57} {83} = {c1}, {57} {13} = {fe}; 4.4 by 5.1.1: {53} is inverse to {ca}.
    let product = |a, b| (Tower8::from_aes(a) * Tower8::from_aes(b)).to_aes();
    assert_eq!([product(0x57, 0x83), product(0x57, 0x13), product(0x53, 0xca)], [0xc1, 0xfe, 1]);
    for byte in 0..=255 {
        assert_eq!(Tower8::from_aes(byte).to_aes(), byte);
    }
}
