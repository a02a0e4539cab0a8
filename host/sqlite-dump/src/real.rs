//! Floating-point numbers as SQL that every SQLite reads back bit by bit.
//!
//! SQLite's own reader of decimals does not round correctly everywhere. Up to
//! 3.41 it computes digits times a power of ten in extended precision, where
//! there is one, and for the smallest numbers in two rounded steps. Later
//! versions compute with pairs of doubles and lose a bit now and then, even
//! of a number with 17 digits. So a decimal is written only if both kinds of
//! reader get it right; any other number is written as a whole number divided
//! or multiplied by powers of two, which is exact in every step.

/// Smaller magnitudes are not written as decimals.
const SMALLEST_DECIMAL: f64 = 1e-280;

/// The largest power of two per factor. Its decimal exponent, less 17 digits,
/// stays below 100: up to there every reader is exact.
const LARGEST_POWER: u32 = 360;

/// Appends the number as an SQL expression. NaN, which SQLite does not
/// store, becomes NULL.
pub(crate) fn write(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        out.extend_from_slice(b"NULL");
        return;
    }
    if value.is_sign_negative() {
        out.push(b'-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.extend_from_slice(b"9e999");
    } else if magnitude == 0.0 {
        out.extend_from_slice(b"0.0");
    } else if magnitude < SMALLEST_DECIMAL
        || !(write_short(out, magnitude) || write_long(out, magnitude))
    {
        write_exact(out, magnitude);
    }
}

/// Writes the decimal people would write, if it is short enough and no reader
/// can take it for a neighbour.
fn write_short(out: &mut Vec<u8>, magnitude: f64) -> bool {
    if !(1e-5..1e15).contains(&magnitude) {
        return false;
    }
    let text = magnitude.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > 15 {
        return false;
    }
    let Some(number) = digits(whole.bytes().chain(fraction.bytes())) else {
        return false;
    };
    let right = number < 1_000_000_000_000_000
        && is_far_from_middle(number, fraction.len())
        && reads_as(number, fraction.len(), magnitude);
    if right {
        out.extend_from_slice(text.as_bytes());
        if fraction.is_empty() {
            out.extend_from_slice(b".0");
        }
    }
    right
}

/// Writes 17 digits, which lie so close to the number, measured by the
/// distance of its neighbours, that a reader may err by a twentieth of it.
fn write_long(out: &mut Vec<u8>, magnitude: f64) -> bool {
    let text = format!("{magnitude:.16e}");
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return false;
    };
    let number = digits(mantissa.bytes().filter(u8::is_ascii_digit));
    let (Some(number), Ok(exponent)) = (number, exponent.parse::<i32>()) else {
        return false;
    };
    let right = read_by_pairs(number, exponent - 16).to_bits() == magnitude.to_bits();
    if right {
        out.extend_from_slice(text.as_bytes());
    }
    right
}

/// Writes `m / 2^a / 2^b` or `m * 2^a * 2^b` with a whole `m` below 2^53.
/// No step rounds: each result is `m` times a power of two, and the one that
/// comes nearest to the limits is the number itself.
fn write_exact(out: &mut Vec<u8>, magnitude: f64) {
    let bits = magnitude.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, power) = match (bits >> 52) as i32 {
        0 => (fraction, -1074),
        biased => (fraction | 1 << 52, biased - 1075),
    };
    out.extend_from_slice(format!("{mantissa}.0").as_bytes());
    let operator = if power < 0 { '/' } else { '*' };
    let mut rest = power.unsigned_abs();
    while rest > 0 {
        let step = rest.min(LARGEST_POWER);
        let factor = match 1_u64.checked_shl(step).filter(|_| step < 62) {
            Some(whole) => format!("{operator}{whole}.0"),
            None => format!("{operator}{:.16e}", f64::from_bits(u64::from(1023 + step) << 52)),
        };
        out.extend_from_slice(factor.as_bytes());
        rest -= step;
    }
}

fn digits(digits: impl Iterator<Item = u8>) -> Option<u64> {
    digits.into_iter().try_fold(0_u64, |number, digit| {
        number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// Whether `number / 10^places` is so far from the middle between two
/// doubles that rounding it to 64 bits first, and to 53 then, cannot give
/// the wrong one. Both bounds, 10^15 each, keep the quotient at 76 bits or more.
fn is_far_from_middle(number: u64, places: usize) -> bool {
    let Some(scale) = u32::try_from(places).ok().and_then(|places| 10_u128.checked_pow(places))
    else {
        return false;
    };
    if scale == 1 {
        return true;
    }
    let wide = u128::from(number) << (u128::from(number).leading_zeros() - 1);
    let quotient = wide / scale;
    let below = (128 - quotient.leading_zeros()).saturating_sub(53);
    let rest = quotient & ((1 << below) - 1);
    // A margin of 2^-8 of the distance between neighbours.
    rest.abs_diff(1 << (below - 1)) > 1 << (below - 8)
}

fn reads_as(number: u64, places: usize, magnitude: f64) -> bool {
    i32::try_from(places)
        .is_ok_and(|places| read_by_pairs(number, -places).to_bits() == magnitude.to_bits())
}

/// `number * 10^exponent`, as SQLite since 3.42 computes it: in pairs of
/// doubles, whose sum is the value, by these very steps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the whole part of a number that was just found to fit"
)]
fn read_by_pairs(mut number: u64, mut exponent: i32) -> f64 {
    while exponent > 0 && number < (u64::MAX - 0x7ff) / 10 {
        number *= 10;
        exponent -= 1;
    }
    while exponent < 0 && number.is_multiple_of(10) {
        number /= 10;
        exponent += 1;
    }
    let high = number as f64;
    let low = if high <= 18_446_744_073_709_549_568.0 {
        let whole = high as u64;
        if number >= whole { (number - whole) as f64 } else { -((whole - number) as f64) }
    } else {
        0.0
    };
    let steps = if exponent > 0 {
        [(100, 1e100, -1.590_289_110_975_991_8e83), (10, 1e10, 0.0), (1, 1e1, 0.0)]
    } else {
        [
            (100, 1e-100, -1.999_189_980_260_288_4e-117),
            (10, 1e-10, -3.643_219_731_549_774e-27),
            (1, 1e-1, -5.551_115_123_125_783e-18),
        ]
    };
    let mut pair = (high, low);
    let mut rest = exponent.unsigned_abs();
    for (size, factor, factor_low) in steps {
        while rest >= size {
            rest -= size;
            pair = multiply(pair, factor, factor_low);
        }
    }
    pair.0 + pair.1
}

/// A pair times a pair, with the upper 27 bits of each split off.
fn multiply((high, low): (f64, f64), factor: f64, factor_low: f64) -> (f64, f64) {
    let upper = |value: f64| f64::from_bits(value.to_bits() & 0xffff_ffff_fc00_0000);
    let (high_upper, factor_upper) = (upper(high), upper(factor));
    let (high_lower, factor_lower) = (high - high_upper, factor - factor_upper);
    let product = high_upper * factor_upper;
    let cross = high_upper * factor_lower + high_lower * factor_upper;
    let sum = product + cross;
    let rest = product - sum + cross + high_lower * factor_lower;
    let rest = high * factor_low + low * factor + rest;
    let result = sum + rest;
    (result, (sum - result) + rest)
}
