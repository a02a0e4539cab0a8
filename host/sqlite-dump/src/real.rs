//! Floating-point numbers as SQL that every SQLite reads back bit by bit.
//!
//! SQLite's own reader does not round correctly everywhere. Up to 3.41 it
//! computes digits times a power of ten in extended precision, where there is
//! one, and below about 1e-291 in two rounded steps; later versions have
//! their own means. So the digits are chosen such that a small error of the
//! reader does not matter.

/// Powers of two that a reader can hardly get wrong: few of their decimal
/// digits are needed to tell them from their neighbours.
const TWO_POW_500: &str = "3.2733906078961419e150";
const TWO_POW_574: &str = "6.1832600368276133e172";

/// Smaller magnitudes are written as a quotient.
const SMALLEST_DECIMAL: f64 = 1e-280;

/// Appends the number as an SQL expression. NaN, which SQLite does not
/// store, becomes NULL.
pub(crate) fn write(out: &mut Vec<u8>, value: f64) {
    let magnitude = value.abs();
    if value.is_nan() {
        out.extend_from_slice(b"NULL");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if magnitude.is_infinite() {
        out.extend_from_slice(b"9e999");
    } else if magnitude == 0.0 {
        out.extend_from_slice(b"0.0");
    } else if magnitude < SMALLEST_DECIMAL {
        write_quotient(out, magnitude);
    } else if !write_short(out, magnitude) {
        // 17 digits lie so close to the number, measured by the distance of
        // its neighbours, that a reader may err by a twentieth of it.
        out.extend_from_slice(format!("{magnitude:.16e}").as_bytes());
    }
}

/// `m / 2^500 / 2^574` with a whole `m` below 2^1074: every step is exact,
/// for m/2^500 is far from the smallest numbers and the last quotient is the
/// number itself.
fn write_quotient(out: &mut Vec<u8>, magnitude: f64) {
    let scaled = magnitude * 2_f64.powi(500) * 2_f64.powi(574);
    out.extend_from_slice(format!("{scaled:.16e}/{TWO_POW_500}/{TWO_POW_574}").as_bytes());
}

/// Writes the shortest decimal, if it is short enough and no reader with 64
/// bits of precision can take it for a neighbour.
fn write_short(out: &mut Vec<u8>, magnitude: f64) -> bool {
    if !(1e-5..1e15).contains(&magnitude) {
        return false;
    }
    let text = magnitude.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = whole.len() + fraction.len();
    if digits > 20 || fraction.len() > 15 {
        return false;
    }
    let mut number = 0_u64;
    for digit in whole.bytes().chain(fraction.bytes()) {
        number = match number.checked_mul(10) {
            Some(n) => n + u64::from(digit - b'0'),
            None => return false,
        };
    }
    if number >= 1_000_000_000_000_000 || !is_far_from_middle(number, fraction.len()) {
        return false;
    }
    out.extend_from_slice(text.as_bytes());
    if fraction.is_empty() {
        out.extend_from_slice(b".0");
    }
    true
}

/// Whether `number / 10^places` is so far from the middle between two
/// doubles that rounding it to 64 bits first, and to 53 then, cannot give
/// the wrong one. Both bounds, 10^15 each, keep the quotient at 76 bits or more.
fn is_far_from_middle(number: u64, places: usize) -> bool {
    if places == 0 {
        return true;
    }
    let scale = 10_u128.pow(u32::try_from(places).unwrap_or(u32::MAX));
    let wide = u128::from(number) << (u128::from(number).leading_zeros() - 1);
    let quotient = wide / scale;
    let below = (128 - quotient.leading_zeros()).saturating_sub(53);
    let rest = quotient & ((1 << below) - 1);
    // A margin of 2^-8 of the distance between neighbours.
    rest.abs_diff(1 << (below - 1)) > 1 << (below - 8)
}
