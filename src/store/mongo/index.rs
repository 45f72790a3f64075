//! Indexes, each with a name of ours, by which the refusal of a write is recognised.

use mongodb::IndexModel;
use mongodb::bson::Document;
use mongodb::options::IndexOptions;

/// An index.
pub(crate) fn index(name: &str, keys: Document) -> IndexModel {
    index_with(name, keys, IndexOptions::default())
}

/// An index; no two documents may have the same keys.
pub(crate) fn unique_index(name: &str, keys: Document) -> IndexModel {
    index_with(name, keys, IndexOptions::builder().unique(true).build())
}

/// An index of the documents that match `filter`; no two of them may have the same keys.
pub(crate) fn partial_unique_index(name: &str, keys: Document, filter: Document) -> IndexModel {
    let options = IndexOptions::builder().unique(true).partial_filter_expression(filter).build();
    index_with(name, keys, options)
}

/// An index of the documents that match `filter` only.
pub(crate) fn partial_index(name: &str, keys: Document, filter: Document) -> IndexModel {
    let options = IndexOptions::builder().partial_filter_expression(filter).build();
    index_with(name, keys, options)
}

fn index_with(name: &str, keys: Document, mut options: IndexOptions) -> IndexModel {
    options.name = Some(name.to_owned());
    IndexModel::builder().keys(keys).options(options).build()
}
