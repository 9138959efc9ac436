//! Amounts of memory as users write them.

use std::str::FromStr;

use thiserror::Error;

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size(pub u64);

/// A string is no size.
#[derive(Clone, Copy, Debug, Error, PartialEq)]
#[error(
    "a number is expected, as in 800M or 2G: of bytes, or of 2^10, 2^20 or 2^30 with K, M or G"
)]
pub struct SizeError;

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let units = [('K', 10), ('M', 20), ('G', 30)];
        let unit = units.into_iter().find_map(|(c, log)| Some((text.strip_suffix(c)?, log)));
        let (number, log) = unit.unwrap_or((text, 0));
        let number: u64 = number.parse().map_err(|_| SizeError)?;
        number.checked_mul(1 << log).map(Self).ok_or(SizeError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_parsed() {
        for (text, bytes) in
            [("0", 0), ("17", 17), ("3K", 3 << 10), ("800M", 800 << 20), ("2G", 2 << 30)]
        {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
        for wrong in ["", "M", "-1", "1.5G", "2g", "2GB", "99999999999G"] {
            assert_eq!(wrong.parse::<Size>(), Err(SizeError), "{wrong}");
        }
    }
}
