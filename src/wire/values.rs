//! The values of a Bind body, as far as they were kept.

/// A value that a client bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value<'a> {
    /// In the type's binary format; else its text.
    pub binary: bool,
    /// As much of it as was kept; `None` is NULL.
    pub bytes: Option<&'a [u8]>,
    /// Its whole length.
    pub length: usize,
}

impl Value<'_> {
    /// All of it was kept.
    pub fn is_whole(&self) -> bool {
        self.bytes.is_none_or(|bytes| bytes.len() == self.length)
    }
}

/// The values behind the names of a Bind body, in order. Ends where what was kept ends.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    formats: &'a [[u8; 2]],
    rest: &'a [u8],
    index: usize,
    count: usize,
}

impl<'a> Values<'a> {
    /// `None` where the formats were not kept.
    pub fn of(body: &'a [u8]) -> Option<Self> {
        let (formats, body) = body.split_first_chunk()?;
        let (formats, body) = body.split_at_checked(2 * usize::from(u16::from_be_bytes(*formats)))?;
        let (count, rest) = body.split_first_chunk()?;
        Some(Self { formats: formats.as_chunks().0, rest, index: 0, count: usize::from(u16::from_be_bytes(*count)) })
    }

    /// Values that are still to come or were not kept.
    pub fn left(&self) -> usize {
        self.count - self.index
    }

    /// No format is text, one is that of all values.
    fn is_binary(&self) -> bool {
        let format = if self.formats.len() == 1 { self.formats.first() } else { self.formats.get(self.index) };
        format.is_some_and(|format| *format == [0, 1])
    }
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        if self.left() == 0 {
            return None;
        }
        let (length, rest) = self.rest.split_first_chunk()?;
        let binary = self.is_binary();
        self.index += 1;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.rest = rest;
            return Some(Value { binary, bytes: None, length: 0 });
        };
        let (bytes, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        self.rest = rest;
        Some(Value { binary, bytes: Some(bytes), length })
    }
}
