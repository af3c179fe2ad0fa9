//! The answer to one SQL statement as a stream of events.
//!
//! As Spark's own clients do, the text is sent as a command first; a command answers with its rows, a query with a plan
//! that is then executed. A stream that ends without `result_complete` is an error, never a short answer.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamReader;
use bytes::Bytes;
use firesteel_proto::spark::connect as proto;
use proto::execute_plan_response::ResponseType;
use tonic::Streaming;

use super::{Client, ClientError};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// The statement runs: tasks done, tasks in all, stages.
    Progress {
        /// Finished tasks.
        done: i64,
        /// Tasks known so far.
        total: i64,
        /// Stages known so far.
        stages: usize,
        /// Bytes read so far.
        bytes: i64,
    },
    /// Rows; the first batch tells the schema and may be empty.
    Batch(RecordBatch),
}

/// The running statement.
#[derive(Debug)]
pub struct Rows {
    client: Client,
    state: State,
    partial: Vec<u8>,
    schema: Option<SchemaRef>,
}

#[derive(Debug)]
enum State {
    Start(String),
    Command { stream: Box<Streaming<proto::ExecutePlanResponse>>, answer: Option<Box<proto::Relation>> },
    Local(std::vec::IntoIter<RecordBatch>),
    Query(Box<Streaming<proto::ExecutePlanResponse>>),
    Done,
}

impl Rows {
    pub(super) fn new(client: Client, text: &str) -> Self {
        Self { client, state: State::Start(text.to_string()), partial: vec![], schema: None }
    }

    /// The schema, once a batch was seen.
    #[must_use]
    pub fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// The next event, or `None` when the statement is done.
    ///
    /// # Errors
    /// When the statement fails or the connection breaks.
    ///
    /// # Cancellation
    /// Safe: dropping the future loses no event.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            match &mut self.state {
                State::Start(text) => {
                    let plan = command(text);
                    let stream = Box::new(execute(&self.client, plan).await?);
                    self.state = State::Command { stream, answer: None };
                }
                State::Command { stream, answer } => match stream.message().await?.map(|m| m.response_type) {
                    Some(Some(ResponseType::SqlCommandResult(result))) => *answer = result.relation.map(Box::new),
                    Some(Some(ResponseType::ExecutionProgress(progress))) => {
                        return Ok(Some(progress_event(&progress)));
                    }
                    Some(Some(ResponseType::ResultComplete(_))) => {
                        let answer = answer.take();
                        self.state = self.follow(answer.map(|relation| *relation)).await?;
                    }
                    Some(_) => {}
                    None => return Err(ClientError::Protocol("the stream ended early")),
                },
                State::Local(batches) => match batches.next() {
                    Some(batch) => return Ok(Some(self.batch(batch))),
                    None => self.state = State::Done,
                },
                State::Query(stream) => match stream.message().await?.map(|m| m.response_type) {
                    Some(Some(ResponseType::ArrowBatch(part))) => {
                        if let Some(batch) = self.assemble(&part)? {
                            return Ok(Some(self.batch(batch)));
                        }
                    }
                    Some(Some(ResponseType::ExecutionProgress(progress))) => {
                        return Ok(Some(progress_event(&progress)));
                    }
                    Some(Some(ResponseType::ResultComplete(_))) => self.state = State::Done,
                    Some(_) => {}
                    None => return Err(ClientError::Protocol("the stream ended early")),
                },
                State::Done => return Ok(None),
            }
        }
    }

    /// What comes after the command phase: a command's own rows, or the query to run.
    async fn follow(&self, answer: Option<proto::Relation>) -> Result<State, ClientError> {
        let Some(relation) = answer else { return Ok(State::Done) };
        if let Some(proto::relation::RelType::LocalRelation(local)) = &relation.rel_type {
            let data = local.data.clone().unwrap_or_default();
            return Ok(State::Local(read_stream(&data)?.into_iter()));
        }
        let plan = proto::Plan { op_type: Some(proto::plan::OpType::Root(relation)) };
        Ok(State::Query(Box::new(execute(&self.client, plan).await?)))
    }

    fn batch(&mut self, batch: RecordBatch) -> Event {
        self.schema.get_or_insert_with(|| batch.schema());
        Event::Batch(batch)
    }

    /// Joins the chunks of a batch that was too large for one message.
    fn assemble(
        &mut self,
        part: &proto::execute_plan_response::ArrowBatch,
    ) -> Result<Option<RecordBatch>, ClientError> {
        let chunks = part.num_chunks_in_batch.unwrap_or(1).max(1);
        let data = if chunks == 1 {
            part.data.clone()
        } else {
            self.partial.extend_from_slice(&part.data);
            if part.chunk_index.unwrap_or(0) + 1 < chunks {
                return Ok(None);
            }
            Bytes::from(std::mem::take(&mut self.partial))
        };
        let mut batches = read_stream(&data)?.into_iter();
        batches.next().map(Some).ok_or(ClientError::Protocol("an Arrow message held no batch"))
    }
}

fn read_stream(data: &Bytes) -> Result<Vec<RecordBatch>, ClientError> {
    if data.is_empty() {
        return Ok(vec![]);
    }
    let reader = StreamReader::try_new(std::io::Cursor::new(data), None)?;
    let schema = reader.schema();
    let mut batches = reader.collect::<Result<Vec<_>, _>>()?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

fn progress_event(progress: &proto::execute_plan_response::ExecutionProgress) -> Event {
    let mut event = (0, 0, 0);
    for stage in &progress.stages {
        event.0 += stage.num_completed_tasks;
        event.1 += stage.num_tasks;
        event.2 += stage.input_bytes_read;
    }
    Event::Progress { done: event.0, total: event.1, stages: progress.stages.len(), bytes: event.2 }
}

fn command(text: &str) -> proto::Plan {
    let sql = proto::Sql { query: text.to_string(), ..Default::default() };
    let input = proto::Relation { common: None, rel_type: Some(proto::relation::RelType::Sql(sql)) };
    let command = proto::SqlCommand { input: Some(input), ..Default::default() };
    let command_type = Some(proto::command::CommandType::SqlCommand(command));
    proto::Plan { op_type: Some(proto::plan::OpType::Command(proto::Command { command_type })) }
}

async fn execute(client: &Client, plan: proto::Plan) -> Result<Streaming<proto::ExecutePlanResponse>, ClientError> {
    let request = proto::ExecutePlanRequest {
        session_id: client.session_id.clone(),
        user_context: Some(client.user_context()),
        operation_id: Some(uuid::Uuid::new_v4().to_string()),
        plan: Some(plan),
        client_type: Some(concat!("firesteel/", env!("CARGO_PKG_VERSION")).to_string()),
        ..Default::default()
    };
    Ok(client.stub.clone().execute_plan(request).await?.into_inner())
}
