//! Generates the Spark Connect messages and service from the descriptor set checked in beside this file.
//!
//! A descriptor set instead of `.proto` files means that a build needs no `protoc`.

use std::error::Error;

use prost::Message;
use prost_types::FileDescriptorSet;

const DESCRIPTORS: &str = "spark43.fds";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DESCRIPTORS}");
    let descriptors = FileDescriptorSet::decode(std::fs::read(DESCRIPTORS)?.as_slice())?;
    tonic_prost_build::configure()
        .build_server(true)
        .build_client(true)
        .bytes(".")
        .codec_path("crate::codec::GuardedCodec")
        .compile_fds(descriptors)?;
    Ok(())
}
