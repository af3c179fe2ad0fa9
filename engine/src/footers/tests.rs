//! Whose footer a file gets.

use datafusion::execution::cache::cache_manager::FileMetadata;

use super::*;

#[derive(Debug)]
struct Footer(&'static str);

impl FileMetadata for Footer {
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }

    fn memory_size(&self) -> usize {
        100
    }

    fn extra_info(&self) -> HashMap<String, String> {
        HashMap::from([("name".to_owned(), self.0.to_owned())])
    }
}

fn file(path: &str, tag: Option<&str>) -> ObjectMeta {
    ObjectMeta {
        location: Path::from(path),
        last_modified: Default::default(),
        size: 7,
        e_tag: tag.map(str::to_owned),
        version: None,
    }
}

fn found(cache: &Arc<FileMetadataCache>, path: &str) -> Option<String> {
    cache.get(&Path::from(path))?.file_metadata.extra_info().remove("name")
}

#[test]
fn a_footer_is_that_of_its_store_and_version() {
    let (one, two) = (ObjectStoreUrl::parse("s3://one").unwrap(), ObjectStoreUrl::parse("s3://two").unwrap());
    let first = file("d/x.parquet", Some("\"a\""));
    let cache = of(&one, [&first]);
    cache.put(&first.location, CachedFileMetadataEntry::new(first.clone(), Arc::new(Footer("first"))));
    assert_eq!(found(&of(&one, [&first]), "d/x.parquet").as_deref(), Some("first"));
    assert_eq!(found(&of(&two, [&first]), "d/x.parquet"), None);
    assert_eq!(found(&of(&one, [&file("d/x.parquet", Some("\"b\""))]), "d/x.parquet"), None);
    assert_eq!(found(&of(&one, [&file("d", Some("x.parquet/\"a\""))]), "d"), None);
    assert_eq!((cache.len(), cache.list_entries().len()), (1, 1));
    cache.clear();
    assert!(cache.is_empty());
}

#[test]
fn a_file_without_a_tag_is_not_kept() {
    let store = ObjectStoreUrl::parse("s3://untagged").unwrap();
    let untagged = file("y.parquet", None);
    let cache = of(&store, [&untagged]);
    cache.put(&untagged.location, CachedFileMetadataEntry::new(untagged.clone(), Arc::new(Footer("lost"))));
    assert_eq!(found(&cache, "y.parquet"), None);
}
