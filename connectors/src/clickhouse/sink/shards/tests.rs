//! What a Distributed table's engine says.

use super::*;

#[test]
fn engines_say_cluster_table_and_key() {
    let parse = |text| Distributed::parse(text).unwrap();
    let full =
        parse("Distributed('my, \\'c', 'd', 't', cityHash64(a, 'x)'), 'policy') SETTINGS fsync_after_insert = 1");
    assert_eq!((full.cluster.as_str(), full.database.as_str(), full.table.as_str()), ("my, 'c", "d", "t"));
    assert_eq!(full.key.as_deref(), Some("cityHash64(a, 'x)')"));
    let short = parse("Distributed('c', '', 't')");
    assert_eq!((short.database.as_str(), short.key), ("", None));
    assert_eq!(Distributed::parse("Distributed('c')"), None);
}
