//! Bind values, where the owner wants them (`capture_parameters`): kept from Bind to the end of the execution, read only
//! when the execution is told by itself.
//!
//! Reading order: here how they travel and the JSON array that becomes of them; `value` one value, `array`, `number` and
//! `moment` types whose binary format takes more than a line.

mod array;
mod moment;
mod number;
mod value;

use std::sync::Arc;

use crate::session::key::Key;
use crate::session::owed::Owed;
use crate::session::track::Track;
use crate::sql::bound::{Allowance, Bound};
use crate::sql::statement::{Details, Statement};
use crate::wire::frontend::{self, Target};
use crate::wire::values::Values;

/// Bytes of one value, and of all together; what is longer is cut and ends in `…`.
const VALUE_MAX: usize = 256;
const ALL_MAX: usize = 4 << 10;

/// Stands for what was cut off.
const CUT: &str = "\"…\"";

/// Values as a JSON array in the order of `$1`, `$2`, …; `None` where none were kept or there are none.
pub fn json(details: &Details) -> Option<String> {
    let types = details.types.as_deref().unwrap_or_default();
    details.bound.as_ref().map(|bound| array_of(bound.body(), types))
}

fn array_of(body: &[u8], types: &[u32]) -> String {
    let mut out = String::from("[");
    let mut types = types.iter().copied();
    let mut values = Values::of(body);
    for value in values.iter_mut().flatten() {
        if out.len() > 1 {
            out.push(',');
        }
        if out.len() > ALL_MAX {
            return out + CUT + "]";
        }
        value::write(&mut out, &value, types.next().unwrap_or_default());
    }
    if values.is_none_or(|values| values.left() > 0) {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(CUT);
    }
    out + "]"
}

impl Track {
    /// Values of a Bind body, where they are wanted and there are some.
    #[inline]
    pub(super) fn keep_values(&self, body: &[u8]) -> Option<Arc<Bound>> {
        self.allowance.as_ref().and_then(|allowance| keep(allowance, body))
    }

    /// ParameterDescription: the server's types of the statement that was described.
    #[cold]
    pub(super) fn parameter_types(&mut self, body: &[u8]) {
        if let Some(&Owed::Describe { target: Target::Statement, name, .. }) = self.pipeline.front()
            && let Some(statement) = self.statements.get(name)
        {
            typed(statement, body);
        }
    }

    /// What was bound to `portal` for the Execute at `index`, while the server has not said that it is.
    pub(super) fn bound_ahead(&self, index: usize, portal: Key) -> Option<Arc<Bound>> {
        let of = |owed: &Owed| matches!(*owed, Owed::Bind { portal: to, .. } if to == portal);
        let at = self.pipeline.iter().take(index).rposition(of)?;
        let is_bound = |owed: &&Owed| matches!(owed, Owed::Bind { bound: true, .. });
        self.pipeline.iter().nth(at).filter(is_bound)?;
        let earlier = self.pipeline.iter().take(at).filter(is_bound).count();
        self.pipeline.bound().nth(earlier).cloned()
    }
}

#[cold]
fn keep(allowance: &Arc<Allowance>, body: &[u8]) -> Option<Arc<Bound>> {
    let values = frontend::values(body).unwrap_or_default();
    let none = Values::of(values).is_some_and(|values| values.left() == 0);
    (!none).then(|| allowance.keep(values))
}

/// The statement has parameters of these types, in the encoding of ParameterDescription.
#[cold]
pub(super) fn typed(statement: &mut Statement, types: &[u8]) {
    let types: Arc<[u32]> = frontend::types(types).collect();
    if types.iter().any(|oid| *oid != 0) {
        statement.detail(|details| details.types = Some(types));
    }
}

/// The statement is executed with these values.
#[cold]
pub(super) fn bind(statement: &mut Statement, values: Arc<Bound>) {
    statement.detail(|details| details.bound = Some(values));
}

#[cfg(test)]
mod tests;
