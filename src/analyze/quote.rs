//! Statements for owners to run: names and literals as SQL wants them, and the ones that several rules propose.

use crate::snapshot::index::Index;

/// Words that can't be the name of a relation or a schema without quotes, of PostgreSQL 18's `kwlist.h`: those reserved,
/// and those that only functions and types can be called.
const KEYWORDS: &str = " all analyse analyze and any array as asc asymmetric both case cast check collate column \
    constraint create current_catalog current_date current_role current_time current_timestamp current_user default \
    deferrable desc distinct do else end except false fetch for foreign from grant group having in initially intersect \
    into lateral leading limit localtime localtimestamp not null offset on only or order placing primary references \
    returning select session_user some symmetric system_user table then to trailing true union unique user using \
    variadic when where window with authorization binary collation concurrently cross current_schema freeze full ilike \
    inner is isnull join left like natural notnull outer overlaps right similar tablesample verbose ";

/// A name as SQL takes it, whatever is in it.
pub fn name(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !KEYWORDS.contains(&format!(" {text} "));
    if is_plain { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

/// A name in its schema.
pub fn qualified(schema: &str, text: &str) -> String {
    format!("{}.{}", name(schema), name(text))
}

/// A text as SQL takes it, whatever `standard_conforming_strings` says.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// What takes an index away without stopping its table's users.
pub fn drop_index(index: &Index) -> String {
    let (schema, definition) = (&index.names.schema, &index.definition);
    let named = qualified(schema, &index.names.index);
    if let Some(constraint) = &definition.constraint {
        let table = qualified(schema, &index.names.table);
        return format!("ALTER TABLE {table} DROP CONSTRAINT {};", name(constraint));
    }
    if definition.is_partitioned {
        // CONCURRENTLY can't be had here; the lock is short, and this one does not wait for it.
        return format!("SET lock_timeout = '2s'; DROP INDEX {named};");
    }
    format!("DROP INDEX CONCURRENTLY {named};")
}

/// What brings it back. `None` of a constraint's, for which a definition of the index is not enough.
pub fn create_index(index: &Index) -> Option<String> {
    let definition = &index.definition;
    if definition.constraint.is_some() {
        return None;
    }
    let statement = definition.statement.trim_end_matches(';');
    if definition.is_partitioned {
        return Some(format!("{};", statement.replacen(" ON ONLY ", " ON ", 1)));
    }
    let rest = statement.split_once(" INDEX ")?;
    Some(format!("{} INDEX CONCURRENTLY {};", rest.0, rest.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::index::{IndexDefinition, IndexNames};

    #[test]
    fn a_name_can_smuggle_nothing_in() {
        for (text, quoted) in [
            ("orders", "orders"),
            ("orders_2024", "orders_2024"),
            ("Orders", "\"Orders\""),
            ("user", "\"user\""),
            ("left", "\"left\""),
            ("a b", "\"a b\""),
            ("a\"; drop table x; --", "\"a\"\"; drop table x; --\""),
            ("1a", "\"1a\""),
            ("größe", "\"größe\""),
            ("", "\"\""),
        ] {
            assert_eq!(name(text), quoted);
        }
        assert_eq!(qualified("public", "order"), "public.\"order\"");
        assert_eq!((literal("it's"), literal("a\\'b")), ("'it''s'".to_owned(), "E'a\\\\''b'".to_owned()));
    }

    #[test]
    fn what_drops_an_index_has_what_undoes_it() {
        let names = IndexNames {
            database: "shop".into(),
            schema: "public".into(),
            table: "Orders".into(),
            index: "by Date".into(),
        };
        let statement = "CREATE INDEX \"by Date\" ON public.\"Orders\" USING btree (at)".to_owned();
        let mut index = Index {
            names,
            definition: IndexDefinition { statement, ..IndexDefinition::default() },
            ..Index::default()
        };
        assert_eq!(drop_index(&index), "DROP INDEX CONCURRENTLY public.\"by Date\";");
        let again = create_index(&index).unwrap();
        assert_eq!(again, "CREATE INDEX CONCURRENTLY \"by Date\" ON public.\"Orders\" USING btree (at);");

        index.definition.is_partitioned = true;
        index.definition.statement = "CREATE INDEX \"by Date\" ON ONLY public.\"Orders\" USING btree (at)".to_owned();
        assert!(!drop_index(&index).contains("CONCURRENTLY"));
        assert_eq!(create_index(&index).unwrap(), "CREATE INDEX \"by Date\" ON public.\"Orders\" USING btree (at);");

        index.definition.constraint = Some("by Date".to_owned());
        assert_eq!(drop_index(&index), "ALTER TABLE public.\"Orders\" DROP CONSTRAINT \"by Date\";");
        assert_eq!(create_index(&index), None);
    }
}
