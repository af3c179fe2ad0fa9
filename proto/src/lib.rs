//! Wire types only: Spark Connect's messages and service, generated from a descriptor set.
//!
//! Nothing here has behaviour but [`codec`], which bounds what is decoded; decoding into the engine's own plan lives in `connect`.
//!
//! The messages are those of Apache Spark 4.3.0 (`spark/connect/*.proto`), Copyright The Apache Software Foundation,
//! licensed under the Apache License, Version 2.0 (<https://www.apache.org/licenses/LICENSE-2.0>). The descriptor set
//! `spark43.fds` was taken from the descriptors which the PySpark 4.3.0 package carries.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod codec;

/// Spark's protocol packages.
pub mod spark {
    /// The package `spark.connect`.
    #[expect(
        missing_docs,
        unused_qualifications,
        clippy::allow_attributes,
        clippy::enum_variant_names,
        clippy::large_enum_variant,
        reason = "the code is generated and the descriptors carry no comments"
    )]
    pub mod connect {
        tonic::include_proto!("spark.connect");
    }
}
