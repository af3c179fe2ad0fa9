//! The gRPC codec of the generated service: protobuf, with a bound on how deep messages may nest.
//!
//! Spark's clients send plans hundreds of messages deep, so prost's own limit of 100 is off (`no-recursion-limit`).
//! Decoding recurses, so a hostile message could exhaust the stack; [`check_nesting`] refuses it by a linear,
//! non-recursive look at the bytes before anything is decoded. It knows which fields hold messages, not what they mean.

use std::marker::PhantomData;

use prost::bytes::Buf;
use prost::{Message, Name};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

mod nesting;

pub use nesting::{NestingError, check_nesting};

/// The deepest nesting a message may have; Spark's `spark.connect.grpc.marshallerRecursionLimit`.
pub const MAX_NESTING: usize = 1_024;

/// Messages nested deeper than this are decoded on a stack of their own.
const ORDINARY_NESTING: usize = 48;
const DEEP_STACK: usize = 64 * 1024 * 1024;
const DEEP_STACK_RED_ZONE: usize = 16 * 1024 * 1024;

/// Decodes a message after checking its nesting, on a stack large enough for it.
///
/// # Errors
///
/// `INVALID_ARGUMENT` when the bytes are no such message or nest deeper than [`MAX_NESTING`].
pub fn decode_guarded<M: Message + Name + Default>(mut bytes: impl Buf) -> Result<M, Status> {
    let bytes = bytes.copy_to_bytes(bytes.remaining());
    let depth = check_nesting(&M::full_name(), &bytes, MAX_NESTING)
        .map_err(|error| Status::invalid_argument(format!("failed to decode the protobuf message: {error}")))?;
    let decode = || {
        M::decode(bytes)
            .map_err(|error| Status::invalid_argument(format!("failed to decode the protobuf message: {error}")))
    };
    if depth > ORDINARY_NESTING { stacker::maybe_grow(DEEP_STACK_RED_ZONE, DEEP_STACK, decode) } else { decode() }
}

/// Protobuf with a bound on nesting.
#[derive(Debug, Clone)]
pub struct GuardedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for GuardedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for GuardedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = GuardedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::default()
    }

    fn decoder(&mut self) -> Self::Decoder {
        GuardedDecoder(PhantomData)
    }
}

/// The decoding half of [`GuardedCodec`].
#[derive(Debug, Clone)]
pub struct GuardedDecoder<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for GuardedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        decode_guarded(buffer).map(Some)
    }
}
