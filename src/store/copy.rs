//! PostgreSQL's binary COPY format (manual, COPY, "Binary Format"). Pure.

/// Days, and µs, from the Unix epoch to PostgreSQL's, 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;
const EPOCH_US: i64 = EPOCH_DAYS * 86_400_000_000;

const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;

const INT4: u32 = 23;
const INT8: u32 = 20;

/// What is sent for one COPY.
#[derive(Debug)]
pub(super) struct Rows(Vec<u8>);

impl Rows {
    /// No row yet.
    pub(super) fn new() -> Self {
        Self(HEADER.to_vec())
    }

    /// Begins a row of so many columns, which must follow.
    pub(super) fn row(&mut self, columns: i16) -> &mut Self {
        self.0.extend(columns.to_be_bytes());
        self
    }

    /// All rows, ended.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.extend(TRAILER.to_be_bytes());
        self.0
    }

    fn field(&mut self, bytes: &[u8]) -> &mut Self {
        // A field is at most 1 GiB for the server; texts here are cut long before.
        self.0.extend(i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes());
        self.0.extend(bytes);
        self
    }

    fn null(&mut self) -> &mut Self {
        self.0.extend((-1_i32).to_be_bytes());
        self
    }

    pub(super) fn int8(&mut self, value: i64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    /// What doesn't fit is the nearest that does.
    pub(super) fn int4(&mut self, value: i64) -> &mut Self {
        self.field(&narrow(value).to_be_bytes())
    }

    pub(super) fn float8(&mut self, value: f64) -> &mut Self {
        self.field(&value.to_be_bytes())
    }

    /// A text; it can't hold a zero byte, which a tag's `%00` may bring.
    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        if value.contains('\0') {
            self.field(value.replace('\0', "\u{fffd}").as_bytes())
        } else {
            self.field(value.as_bytes())
        }
    }

    /// A JSON text.
    pub(super) fn jsonb(&mut self, value: &str) -> &mut Self {
        // jsonb can't hold it either; what is written as two backslashes isn't one.
        let value = value.replace("\\u0000", "\\ufffd");
        self.field(&[b"\x01", value.as_bytes()].concat())
    }

    /// µs since the Unix epoch.
    pub(super) fn timestamptz(&mut self, unix_us: i64) -> &mut Self {
        self.field(&unix_us.saturating_sub(EPOCH_US).to_be_bytes())
    }

    pub(super) fn optional<T>(
        &mut self,
        value: Option<T>,
        write: impl for<'a> FnOnce(&'a mut Self, T) -> &'a mut Self,
    ) -> &mut Self {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    pub(super) fn int4_array(&mut self, values: impl ExactSizeIterator<Item = i64>) -> &mut Self {
        self.array(INT4, values.map(|value| narrow(value).to_be_bytes()))
    }

    pub(super) fn int8_array(&mut self, values: impl ExactSizeIterator<Item = i64>) -> &mut Self {
        self.array(INT8, values.map(i64::to_be_bytes))
    }

    fn array<const N: usize>(&mut self, element: u32, values: impl ExactSizeIterator<Item = [u8; N]>) -> &mut Self {
        let length = i32::try_from(values.len()).unwrap_or_default();
        // Dimensions, no NULLs, type; an empty array has no dimension.
        let mut bytes = Vec::with_capacity(20 + values.len() * 12);
        bytes.extend(i32::from(length > 0).to_be_bytes());
        bytes.extend(0_i32.to_be_bytes());
        bytes.extend(element.to_be_bytes());
        if length > 0 {
            bytes.extend(length.to_be_bytes());
            bytes.extend(1_i32.to_be_bytes());
        }
        for value in values {
            bytes.extend((N as i32).to_be_bytes());
            bytes.extend(value);
        }
        self.field(&bytes)
    }
}

fn narrow(value: i64) -> i32 {
    value.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(write: impl for<'a> FnOnce(&'a mut Rows) -> &'a mut Rows) -> Vec<u8> {
        let mut rows = Rows(Vec::new());
        write(&mut rows);
        rows.0
    }

    #[test]
    fn numbers_that_do_not_fit_become_the_nearest() {
        let int4 = |value| one(|rows| rows.int4(value));
        assert_eq!(int4(i64::MAX), [0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]);
        assert_eq!(int4(-2), [0, 0, 0, 4, 0xff, 0xff, 0xff, 0xfe]);
    }

    #[test]
    fn times_count_from_2000() {
        assert_eq!(one(|rows| rows.timestamptz(946_684_800_000_001)), [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn an_empty_array_has_no_dimension() {
        assert_eq!(one(|rows| rows.int4_array([].into_iter())), [0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23]);
        let filled = one(|rows| rows.int4_array([5].into_iter()));
        assert_eq!(filled[..4], [0, 0, 0, 28]);
        assert_eq!(filled[28..], [0, 0, 0, 5]);
    }

    #[test]
    fn zero_bytes_do_not_reach_the_server() {
        assert_eq!(one(|rows| rows.text("a\0b")), b"\0\0\0\x05a\xef\xbf\xbdb");
        assert_eq!(one(|rows| rows.jsonb(r#""\u0000""#)), [&b"\0\0\0\x09\x01"[..], br#""\ufffd""#].concat());
    }
}
