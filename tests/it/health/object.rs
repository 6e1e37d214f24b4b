//! One index or table over a time, out of the rounds that saw it.

use ::pgvitals::snapshot::set::Set;
use ::pgvitals::store::read::Reader;
use ::pgvitals::store::read::object::{Name, TracedIndex, TracedTable};

use super::block_on;
use super::rounds::{SERVER, Store, at, furnish, round};
use crate::support::postgres::Cluster;

/// "Chart of an index's use and a table's size": one object over a time, by its name, with what it had under another.
#[test]
fn one_object_is_read_over_a_time() {
    let store = Store::new(Cluster::newest().major);
    furnish(&store.patient);
    let mut set = round(&store.patient);
    let named = |set: &mut Set, name: &str| set.indexes.iter().position(|one| one.names.index == name).unwrap();
    let used = named(&mut set, "N'1");
    for (hour, scans) in [(1, 0), (2, 30), (3, 30), (25, 90)] {
        set.indexes[used].figures.scans = scans;
        if hour == 25 {
            set.indexes[used].names.index = "renamed".to_owned();
        }
        store.write(&at(&set, hour)).unwrap();
    }
    let name =
        |name: &str| Name { database: store.patient.name.clone(), schema: "public".to_owned(), name: name.to_owned() };
    let reader = Reader::new(store.settings("pgvitals_reader"));
    let index = |called: &str, hour: u64| block_on(reader.index(SERVER, &name(called), at(&set, hour).at)).unwrap();
    let traced = index("renamed", 0).expect("the index");
    let scans: Vec<_> = traced.samples.iter().map(|sample| (sample.at, sample.figures.scans)).collect();
    let expected = [(1, 0), (2, 30), (25, 90)].map(|(hour, scans)| (at(&set, hour).at, scans));
    assert_eq!(scans, expected, "also of when it was called otherwise; at 3 h nothing changed");
    assert_eq!(traced.rounds.len(), 4);
    assert_eq!(traced.object, set.indexes[used]);
    assert_eq!(traced.object.definition.statement, set.indexes[used].definition.statement);
    assert_eq!(index("renamed", 2).unwrap().samples.len(), 2);

    // What memory has is read alike.
    let health = store.read(at(&set, 0).at);
    assert_eq!(TracedIndex::of(&health, &name("renamed")), Some(traced));
    assert_eq!(TracedIndex::of(&health, &name("N'1")), None, "it is called so no more");

    let table = block_on(reader.table(SERVER, &name("t2"), at(&set, 0).at)).unwrap().expect("the table");
    assert_eq!(table.samples.len(), 2, "once a day");
    assert_eq!(TracedTable::of(&health, &name("t2")).map(|traced| traced.object), Some(table.object));
    assert_eq!(block_on(reader.table("other-db", &name("t2"), at(&set, 0).at)).unwrap(), None);
    assert_eq!(block_on(reader.table(SERVER, &name("renamed"), at(&set, 0).at)).unwrap(), None, "it is no table");

    set.tables.retain(|table| table.names.table != "t2");
    store.write(&at(&set, 26)).unwrap();
    assert_eq!(block_on(reader.table(SERVER, &name("t2"), at(&set, 0).at)).unwrap(), None, "it is gone");
}
