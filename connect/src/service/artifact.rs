//! Uploads and questions about them.

use bytes::{Bytes, BytesMut};
use firesteel_functions::error::SparkError;
use firesteel_proto::spark::connect as sc;
use sc::add_artifacts_request::{ArtifactChunk, Payload};
use sc::add_artifacts_response::ArtifactSummary;
use tonic::{Status, Streaming};

use crate::decode::invalid;
use crate::error;
use crate::registry::Registry;
use crate::session::ClientSession;

/// Largest single upload.
const MAX_ARTIFACT: usize = 1024 * 1024 * 1024;

struct Chunked {
    name: String,
    data: BytesMut,
    total_bytes: i64,
    missing_chunks: i64,
    intact: bool,
}

pub(super) async fn add(
    registry: &Registry,
    mut requests: Streaming<sc::AddArtifactsRequest>,
) -> Result<sc::AddArtifactsResponse, Status> {
    let mut response = sc::AddArtifactsResponse::default();
    let mut opened = None;
    let mut chunked: Option<Chunked> = None;
    while let Some(request) = requests.message().await? {
        let session = match &opened {
            Some(session) => std::sync::Arc::clone(session),
            None => {
                let observed = request.client_observed_server_side_session_id.as_deref();
                let session = registry
                    .open(request.user_context.as_ref(), &request.session_id, observed)
                    .map_err(|error| error::status(&error))?;
                response.session_id.clone_from(&request.session_id);
                response.server_side_session_id = session.server_side_id();
                opened.insert(session).clone()
            }
        };
        let fail = |error: SparkError| session.status(&error);
        match request.payload {
            Some(Payload::Batch(batch)) => {
                for artifact in batch.artifacts {
                    let chunk = artifact.data.unwrap_or_default();
                    let intact = intact(&chunk);
                    keep(&session, &artifact.name, chunk.data, intact, &mut response).map_err(fail)?;
                }
            }
            Some(Payload::BeginChunk(begin)) => {
                if chunked.is_some() {
                    return Err(fail(broken("an upload began before the last one ended")));
                }
                let first = begin.initial_chunk.unwrap_or_default();
                let mut upload = Chunked {
                    name: begin.name,
                    data: BytesMut::new(),
                    total_bytes: begin.total_bytes,
                    missing_chunks: begin.num_chunks,
                    intact: true,
                };
                upload.add(&first).map_err(fail)?;
                chunked = upload.keep_or_wait(&session, &mut response).map_err(fail)?;
            }
            Some(Payload::Chunk(chunk)) => {
                let mut upload = chunked.take().ok_or_else(|| fail(broken("a chunk belongs to no upload")))?;
                upload.add(&chunk).map_err(fail)?;
                chunked = upload.keep_or_wait(&session, &mut response).map_err(fail)?;
            }
            None => return Err(fail(broken("an upload has no payload"))),
        }
    }
    match (&opened, &chunked) {
        (Some(session), Some(_)) => Err(session.status(&broken("an upload ended before its last chunk"))),
        _ => Ok(response),
    }
}

pub(super) fn statuses(
    registry: &Registry,
    request: sc::ArtifactStatusesRequest,
) -> Result<sc::ArtifactStatusesResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .open(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let status = |name: String| {
        let exists = session.artifacts.exists(&name);
        (name, sc::artifact_statuses_response::ArtifactStatus { exists })
    };
    Ok(sc::ArtifactStatusesResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        statuses: request.names.into_iter().map(status).collect(),
    })
}

impl Chunked {
    fn add(&mut self, chunk: &ArtifactChunk) -> Result<(), SparkError> {
        if self.data.len().saturating_add(chunk.data.len()) > MAX_ARTIFACT {
            return Err(broken("an upload is larger than 1 GiB"));
        }
        self.intact &= intact(chunk);
        self.missing_chunks -= 1;
        self.data.extend_from_slice(&chunk.data);
        Ok(())
    }

    fn keep_or_wait(
        self,
        session: &ClientSession,
        response: &mut sc::AddArtifactsResponse,
    ) -> Result<Option<Self>, SparkError> {
        if self.missing_chunks > 0 {
            return Ok(Some(self));
        }
        if i64::try_from(self.data.len()).ok() != Some(self.total_bytes) {
            return Err(broken("an upload has another size than announced"));
        }
        keep(session, &self.name, self.data.freeze(), self.intact, response)?;
        Ok(None)
    }
}

/// Keeps a file whose checksum is right, and tells the client about it either way.
fn keep(
    session: &ClientSession,
    name: &str,
    data: Bytes,
    intact: bool,
    response: &mut sc::AddArtifactsResponse,
) -> Result<(), SparkError> {
    if intact {
        session.artifacts.add(name, data)?;
    }
    response.artifacts.push(ArtifactSummary { name: name.to_string(), is_crc_successful: intact });
    Ok(())
}

fn intact(chunk: &ArtifactChunk) -> bool {
    i64::from(crc32fast::hash(&chunk.data)) == chunk.crc
}

fn broken(message: &str) -> SparkError {
    invalid("ASSERTION_FAILURE", &[("message", message)])
}
