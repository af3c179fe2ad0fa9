//! One set of features for every external crate, whichever of our crates is built.
//!
//! Cargo unites features only over the packages it is asked to build, so `cargo test -p firesteel-spark` would compile DataFusion once more, with fewer
//! features than the workspace has. Every crate of ours depends on this empty one, which names the full sets.
