//! Tensor types: blocks of elements that share scales, and the floats that they stand for.

/// A tensor type that is understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TensorType {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// 32 elements `d (q - 8)`: `d` of 16 bits, `q` of four.
    Q4_0,
    /// 32 elements `d q + m`: `d` and `m` of 16 bits, `q` of four.
    Q4_1,
    /// 32 elements `d q`: `d` of 16 bits, `q` of eight with a sign.
    Q8_0,
    /// 256 elements `d (q - 1)`: `q` of two bits, `d` of 16.
    Tq2_0,
}

impl TensorType {
    /// That of a number in a file.
    pub(super) fn new(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            8 => Self::Q8_0,
            35 => Self::Tq2_0,
            _ => return None,
        })
    }

    /// Elements of a block.
    pub fn block(self) -> usize {
        match self {
            Self::F32 | Self::F16 => 1,
            Self::Q4_0 | Self::Q4_1 | Self::Q8_0 => 32,
            Self::Tq2_0 => 256,
        }
    }

    /// Bytes of a block.
    pub fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::Q4_0 => 18,
            Self::Q4_1 => 20,
            Self::Q8_0 => 34,
            Self::Tq2_0 => 66,
        }
    }

    /// The floats of whole blocks.
    pub(super) fn dequantize(self, data: &[u8]) -> Vec<f32> {
        let blocks = data.chunks_exact(self.bytes());
        let mut floats = Vec::with_capacity(blocks.len() * self.block());
        for block in blocks {
            self.dequantize_block(block, &mut floats);
        }
        floats
    }

    fn dequantize_block(self, block: &[u8], floats: &mut Vec<f32>) {
        match self {
            Self::F32 => {
                let bytes = [block[0], block[1], block[2], block[3]];
                floats.push(f32::from_le_bytes(bytes));
            }
            Self::F16 => floats.push(half(block)),
            Self::Q4_0 => {
                let d = half(block);
                floats.extend(nibbles(&block[2..]).map(|q| d * (f32::from(q) - 8.0)));
            }
            Self::Q4_1 => {
                let (d, m) = (half(block), half(&block[2..]));
                floats.extend(nibbles(&block[4..]).map(|q| d * f32::from(q) + m));
            }
            Self::Q8_0 => {
                let d = half(block);
                floats.extend(block[2..].iter().map(|&q| d * f32::from(q as i8)));
            }
            Self::Tq2_0 => {
                let (q, d) = block.split_at(64);
                let d = half(d);
                for bytes in q.chunks_exact(32) {
                    for shift in [0, 2, 4, 6] {
                        let digit = |&byte: &u8| d * (f32::from((byte >> shift) & 3) - 1.0);
                        floats.extend(bytes.iter().map(digit));
                    }
                }
            }
        }
    }
}

/// The low nibbles of some bytes, and then the high ones.
fn nibbles(bytes: &[u8]) -> impl Iterator<Item = u8> {
    bytes.iter().map(|byte| byte & 15).chain(bytes.iter().map(|byte| byte >> 4))
}

/// The 16-bit float that some bytes begin with.
fn half(bytes: &[u8]) -> f32 {
    let bits = u16::from_le_bytes([bytes[0], bytes[1]]);
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10 & 31), u32::from(bits & 1023));
    match exponent {
        // Multiples of 2^-24, signed.
        0 => {
            let size = fraction as f32 / 16_777_216.0;
            f32::from_bits(sign | size.to_bits())
        }
        31 => f32::from_bits(sign | 255 << 23 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}
