//! `numeric` in its binary format (`numeric_send`, utils/adt/numeric.c): digits to the base 10,000.

use std::fmt::Write;

use super::VALUE_MAX;

/// Its digits as PostgreSQL writes them; `None` when it is none. A very long one is cut.
pub(super) fn numeric(bytes: &[u8]) -> Option<String> {
    let (head, digits) = bytes.split_first_chunk::<8>()?;
    let &[_count, weight, sign, scale] = head.as_chunks().0 else { return None };
    let (weight, scale) = (i32::from(i16::from_be_bytes(weight)), usize::from(u16::from_be_bytes(scale)));
    let mut out = match u16::from_be_bytes(sign) {
        0 => String::new(),
        0x4000 => "-".to_owned(),
        0xc000 => return Some("NaN".to_owned()),
        0xd000 => return Some("Infinity".to_owned()),
        0xf000 => return Some("-Infinity".to_owned()),
        _ => return None,
    };
    let digits = digits.as_chunks().0;
    let digit = |place: i32| {
        usize::try_from(place).ok().and_then(|place| digits.get(place)).map_or(0, |digit| u16::from_be_bytes(*digit))
    };
    let most = VALUE_MAX;
    out.push_str(&digit(0.min(weight)).to_string());
    for place in 1..=weight {
        if out.len() > most {
            return Some(out + "…");
        }
        write!(out, "{:04}", digit(place)).ok()?;
    }
    if scale > 0 {
        out.push('.');
        let end = out.len() + scale;
        for place in weight + 1.. {
            if out.len() >= end || out.len() > most {
                break;
            }
            write!(out, "{:04}", digit(place)).ok()?;
        }
        if out.len() < end {
            return Some(out + "…");
        }
        out.truncate(end);
    }
    Some(out)
}
