//! Sessions without a cluster.
