//! Arrays in their binary format (`array_send`, utils/adt/arrayfuncs.c): dimensions, then elements as Bind has values.

use super::{CUT, VALUE_MAX};
use crate::wire::values::Value;

/// `MAXDIM` (utils/array.h).
const DIMENSIONS_MAX: usize = 6;

/// Arrays of types whose values can be read.
const ARRAYS: &[u32] = &[
    199, 1000, 1001, 1002, 1003, 1005, 1007, 1009, 1014, 1015, 1016, 1021, 1022, 1028, 1115, 1182, 1183, 1185, 1231,
    2951, 3807,
];

/// Whether a value of this type is an array.
pub(super) fn is_array(oid: u32) -> bool {
    ARRAYS.contains(&oid)
}

/// Adds a value of a type to an array.
type Write = fn(&mut String, &Value<'_>, u32);

/// Adds an array as nested JSON arrays, `element` each of its values; `None` when it is none.
pub(super) fn write(out: &mut String, bytes: &[u8], element: Write) -> Option<()> {
    let (head, mut rest) = bytes.split_first_chunk::<12>()?;
    let [dimensions, _flags, oid] = words(head);
    let dimensions = usize::try_from(dimensions).ok().filter(|count| *count <= DIMENSIONS_MAX)?;
    let oid = oid.cast_unsigned();
    if is_array(oid) {
        return None;
    }
    let mut lengths = Vec::new();
    for _ in 0..dimensions {
        let (dimension, behind) = rest.split_first_chunk::<8>()?;
        let [length, _lower] = words(dimension);
        lengths.push(usize::try_from(length).ok()?);
        rest = behind;
    }
    if lengths.is_empty() {
        out.push_str("[]");
    } else {
        let most = out.len() + VALUE_MAX;
        level(out, &lengths, &mut Elements { rest, oid, most, write: element });
    }
    Some(())
}

struct Elements<'a> {
    rest: &'a [u8],
    oid: u32,
    /// Nothing is added to an output that is longer.
    most: usize,
    write: Write,
}

/// One dimension, and those inside it. False when something was cut off.
fn level(out: &mut String, lengths: &[usize], elements: &mut Elements<'_>) -> bool {
    let Some((length, inner)) = lengths.split_first() else { return elements.write(out) };
    out.push('[');
    for index in 0..*length {
        if index > 0 {
            out.push(',');
        }
        let room = out.len() <= elements.most;
        if !room || !level(out, inner, elements) {
            // An inner dimension has said so already.
            if !room || inner.is_empty() {
                out.push_str(CUT);
            }
            out.push(']');
            return false;
        }
    }
    out.push(']');
    true
}

impl Elements<'_> {
    /// The next element; false when it was not kept.
    fn write(&mut self, out: &mut String) -> bool {
        let Some((length, rest)) = self.rest.split_first_chunk() else { return false };
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.rest = rest;
            out.push_str("null");
            return true;
        };
        let (bytes, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        self.rest = rest;
        (self.write)(out, &Value { binary: true, bytes: Some(bytes), length }, self.oid);
        true
    }
}

fn words<const BYTES: usize, const WORDS: usize>(bytes: &[u8; BYTES]) -> [i32; WORDS] {
    let words = bytes.as_chunks().0;
    std::array::from_fn(|index| words.get(index).map_or(0, |word| i32::from_be_bytes(*word)))
}
