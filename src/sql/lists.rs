//! Lists whose equal neighbours fold into one (FINGERPRINT §2, rule 5).

use super::text::{TEXT_MAX, Text};

/// Lists that are open at once; further ones are left alone.
const OPEN_MAX: usize = 16;

/// What is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// `in (…)`
    Parens,
    /// `array[…]`
    Brackets,
    /// `values (…), (…)`
    Rows,
}

#[derive(Clone, Copy)]
struct List {
    kind: Kind,
    /// Depth of brackets at which its commas stand.
    depth: u32,
    /// Of rows: one is open.
    in_row: bool,
    /// Where the element in progress starts, with the space before it.
    element: usize,
    /// The last element that stays.
    kept: Option<(usize, usize)>,
}

/// The stack of open lists.
pub(super) struct Lists {
    open: [List; OPEN_MAX],
    count: usize,
}

impl Lists {
    pub(super) fn new() -> Self {
        let none = List { kind: Kind::Rows, depth: 0, in_row: false, element: 0, kept: None };
        Self { open: [none; OPEN_MAX], count: 0 }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
    }

    #[inline]
    fn top(&mut self) -> Option<&mut List> {
        let index = self.count.checked_sub(1)?;
        self.open.get_mut(index)
    }

    /// False when nothing more is collected, or too many lists are open.
    fn push(&mut self, list: List, text: &Text) -> bool {
        match self.open.get_mut(self.count) {
            Some(slot) if !text.is_full() => {
                *slot = list;
                self.count += 1;
                true
            }
            _ => false,
        }
    }

    fn drop_rows_at(&mut self, depth: u32) {
        if self.top().is_some_and(|top| top.kind == Kind::Rows && top.depth == depth && !top.in_row) {
            self.count -= 1;
        }
    }

    /// `(` after `in` was written and leads to `depth`: true when its elements are watched.
    pub(super) fn open_parens(&mut self, depth: u32, text: &Text) -> bool {
        self.open_list(Kind::Parens, depth, text)
    }

    /// `[` after `array`, or as an element's first token, was written and leads to `depth`: true as above.
    pub(super) fn open_brackets(&mut self, depth: u32, text: &Text) -> bool {
        self.open_list(Kind::Brackets, depth, text)
    }

    fn open_list(&mut self, kind: Kind, depth: u32, text: &Text) -> bool {
        self.drop_rows_at(depth.saturating_sub(1));
        self.push(List { kind, depth, in_row: false, element: text.len(), kept: None }, text)
    }

    /// `(` after `values`, at `depth`, is about to be written.
    pub(super) fn open_rows(&mut self, depth: u32, text: &Text) {
        self.drop_rows_at(depth);
        self.push(List { kind: Kind::Rows, depth, in_row: true, element: text.len(), kept: None }, text);
    }

    /// `(` after the comma behind a row.
    pub(super) fn open_row(&mut self) {
        if let Some(top) = self.top() {
            top.in_row = true;
        }
    }

    /// Whether the innermost list is one in brackets with its commas at `depth`.
    pub(super) fn in_brackets(&mut self, depth: u32) -> bool {
        self.top().is_some_and(|top| top.kind == Kind::Brackets && top.depth == depth)
    }

    /// The list that was opened last is none: a query stands in it.
    pub(super) fn cancel(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// Whether any is open.
    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        self.count > 0
    }

    /// Whether the list at `depth` is behind a comma, and `element` and another comma would vanish there without crossing
    /// the limit.
    pub(super) fn repeats(&self, element: &[u8], depth: u32, text: &Text) -> bool {
        let top = self.count.checked_sub(1).and_then(|index| self.open.get(index));
        top.is_some_and(|top| {
            top.depth == depth
                && top.kind != Kind::Rows
                && top.element == text.len()
                && top.element + 1 + element.len() <= TEXT_MAX
                && top.kept.is_some_and(|(start, end)| text.between(start, end) == element)
        })
    }

    /// `)` or `]` is about to be written and leads to `depth`: lists inside are complete.
    #[inline]
    pub(super) fn close(&mut self, depth: u32, text: &mut Text) {
        while let Some(top) = self.top().filter(|top| top.depth > depth) {
            if top.kind != Kind::Rows {
                top.end_element(text);
            }
            self.count -= 1;
        }
    }

    /// `)` was written and led to `depth`: true when it ended a row.
    #[inline]
    pub(super) fn end_row(&mut self, depth: u32, text: &mut Text) -> bool {
        match self.top() {
            Some(top) if top.in_row && top.depth == depth => {
                top.in_row = false;
                top.end_element(text);
                true
            }
            _ => false,
        }
    }

    /// `,` behind a row was written.
    pub(super) fn next_row(&mut self, text: &Text) {
        if let Some(top) = self.top() {
            top.element = text.len();
        }
    }

    /// `,` is about to be written at `depth`.
    #[inline]
    pub(super) fn comma(&mut self, depth: u32, text: &mut Text) {
        self.drop_rows_at(depth);
        if let Some(top) = self.top()
            && top.depth == depth
            && top.kind != Kind::Rows
        {
            top.end_element(text);
            top.element = text.len() + 1;
        }
    }
}

impl List {
    /// The element in progress ends here: it vanishes with its comma when it equals the last one that stays.
    fn end_element(&mut self, text: &mut Text) {
        let apart = text.between(self.element, self.element + 1) == b" ";
        let (start, end) = (self.element + usize::from(apart), text.len());
        match self.kept {
            Some((kept, kept_end)) if text.between(kept, kept_end) == text.between(start, end) => {
                text.truncate(kept_end);
            }
            _ => self.kept = Some((start, end)),
        }
    }
}
