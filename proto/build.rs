//! Generates the Spark Connect messages and service from the descriptor set checked in beside this file.
//!
//! A descriptor set instead of `.proto` files means that a build needs no `protoc`. The same descriptors give
//! `codec::nesting` its table of which fields hold messages.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use prost::Message;
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, FileDescriptorSet};

const DESCRIPTORS: &str = "spark43.fds";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={DESCRIPTORS}");
    let descriptors = FileDescriptorSet::decode(std::fs::read(DESCRIPTORS)?.as_slice())?;
    let table = Path::new(&std::env::var("OUT_DIR")?).join("message_fields.rs");
    std::fs::write(table, message_fields(&descriptors)?)?;
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    tonic_prost_build::configure()
        .build_server(true)
        .build_client(true)
        .bytes(".")
        .codec_path("crate::codec::GuardedCodec")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}

/// Rust source of a table: for each message, by name, its fields that hold messages and the place of their type.
fn message_fields(descriptors: &FileDescriptorSet) -> Result<String, Box<dyn Error>> {
    let mut messages = BTreeMap::new();
    for file in &descriptors.file {
        for message in &file.message_type {
            collect(file.package(), message, &mut messages);
        }
    }
    let places: BTreeMap<&String, usize> = messages.keys().enumerate().map(|(place, name)| (name, place)).collect();
    let mut source = String::from("&[\n");
    for (name, fields) in &messages {
        write!(source, "    ({name:?}, &[")?;
        for (number, child) in fields {
            if let Some(place) = places.get(child) {
                write!(source, "({number}, {place}), ")?;
            }
        }
        source.push_str("]),\n");
    }
    source.push_str("]\n");
    Ok(source)
}

fn collect(scope: &str, message: &DescriptorProto, into: &mut BTreeMap<String, BTreeMap<i32, String>>) {
    let name = format!("{scope}.{}", message.name());
    let fields = message
        .field
        .iter()
        .filter(|field| field.r#type() == Type::Message)
        .map(|field| (field.number(), field.type_name().trim_start_matches('.').to_string()))
        .collect();
    for nested in &message.nested_type {
        collect(&name, nested, into);
    }
    into.insert(name, fields);
}
