//! Arithmetic between numbers of 128 bits whose products need more.
//!
//! Nothing here overflows in silence: what does not fit is [`None`], and each division says which way it rounds.

use ruint::aliases::U256;

/// `a × b`, exact.
pub(crate) fn product(a: u128, b: u128) -> U256 {
    // Two factors below 2^128 have a product below 2^256.
    U256::from(a).wrapping_mul(U256::from(b))
}

/// The number, if it fits.
pub(crate) fn narrow(value: U256) -> Option<u128> {
    u128::try_from(value).ok()
}

/// `a × b ÷ c`, rounded down.
pub(crate) fn mul_div_floor(a: u128, b: u128, c: u128) -> Option<u128> {
    if let Some(small) = a.checked_mul(b) {
        return small.checked_div(c);
    }
    narrow(product(a, b).checked_div(U256::from(c))?)
}

/// `a × b ÷ c`, rounded up.
pub(crate) fn mul_div_ceil(a: u128, b: u128, c: u128) -> Option<u128> {
    let (whole, rest) = if let Some(small) = a.checked_mul(b) {
        (small.checked_div(c)?, small.checked_rem(c)? != 0)
    } else {
        let (whole, rest) =
            (product(a, b).checked_div(U256::from(c))?, product(a, b).checked_rem(U256::from(c))?);
        (narrow(whole)?, !rest.is_zero())
    };
    whole.checked_add(u128::from(rest))
}

/// The square root, rounded down; it fits always.
pub(crate) fn root(value: U256) -> u128 {
    if let Some(small) = narrow(value) {
        return small.isqrt();
    }
    // Newton from above: a power of two that is not below the root; each step goes down until the root is reached.
    let half_bits = value.bit_len().div_ceil(2);
    let mut root = U256::from(2_u8).wrapping_pow(U256::from(half_bits));
    loop {
        let Some(quotient) = value.checked_div(root) else { return 0 };
        let next = root.wrapping_add(quotient).wrapping_shr(1);
        if next >= root {
            return narrow(root).unwrap_or(u128::MAX);
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::arithmetic_side_effects, reason = "a test stops at the first surprise")]

    use proptest::prelude::*;
    use ruint::aliases::U256;

    use super::{mul_div_ceil, mul_div_floor, product, root};

    proptest! {
        #[test]
        fn the_root_is_the_largest_whose_square_fits(a: u128, b: u128, shift in 0_u32..256) {
            let value = product(a, b) >> usize::try_from(shift).unwrap_or(0);
            let found = U256::from(root(value));
            prop_assert!(found.pow(U256::from(2)) <= value);
            let (above, over) = (found + U256::from(1)).overflowing_pow(U256::from(2));
            prop_assert!(over || above > value);
        }

        #[test]
        fn the_two_divisions_differ_by_the_remainder(a: u128, b: u128, c in 1..u128::MAX, shift in 0_u32..128) {
            let (a, c) = (a >> shift, (c >> (shift / 2)).max(1));
            if let Some(down) = mul_div_floor(a, b, c) {
                let rest = product(a, b) - product(down, c);
                prop_assert!(rest < U256::from(c));
                let up = if rest.is_zero() { Some(down) } else { down.checked_add(1) };
                prop_assert_eq!(mul_div_ceil(a, b, c), up);
            } else {
                prop_assert!(product(a, b) / U256::from(c) > U256::from(u128::MAX));
            }
        }
    }

    #[test]
    fn the_largest_square_has_its_root() {
        assert_eq!(root(product(u128::MAX, u128::MAX)), u128::MAX);
        assert_eq!(root(U256::MAX), u128::MAX);
        assert_eq!(root(U256::ZERO), 0);
        assert_eq!(mul_div_floor(1, 1, 0), None);
        assert_eq!(mul_div_ceil(u128::MAX, u128::MAX, 0), None);
    }
}
