//! The Flight SQL service: which message leads where.

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow_flight::sql::metadata::SqlInfoData;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandPreparedStatementQuery, CommandPreparedStatementUpdate, CommandStatementQuery, CommandStatementUpdate,
    DoPutPreparedStatementResult, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{Action, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest, HandshakeResponse, Ticket};
use bytes::Bytes;
use firesteel_spark::session::Session;
use futures::{Stream, StreamExt};
use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};

use crate::sessions::Sessions;
use crate::statement::{self, Handle, Rows};
use crate::status::{arrow_status, guarded, status};
use crate::{metadata, put};

type Handshakes = Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>;

/// The service.
pub(crate) struct SqlService {
    sessions: Arc<Sessions>,
    info: SqlInfoData,
}

impl SqlService {
    /// The service over these sessions.
    ///
    /// # Errors
    ///
    /// When the facts about the server cannot be encoded.
    pub(crate) fn new(sessions: Arc<Sessions>) -> Result<Self, Status> {
        Ok(Self { sessions, info: metadata::sql_info()? })
    }

    async fn session(&self, metadata: &MetadataMap) -> Result<Arc<Session>, Status> {
        self.sessions.of(metadata).await
    }

    async fn start(&self, text: &str, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        let session = self.session(request.metadata()).await?;
        guarded(async {
            let started = statement::start(&session, &self.sessions, text).await;
            let (schema, handle) = started.map_err(|error| status(&error))?;
            let ticket = TicketStatementQuery { statement_handle: handle.encode() };
            flight_info(&schema, ticket.as_any().encode_to_vec(), request.into_inner())
        })
        .await
    }
}

fn flight_info(schema: &Schema, ticket: Vec<u8>, descriptor: FlightDescriptor) -> Result<Response<FlightInfo>, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket::new(ticket));
    let info = FlightInfo::new()
        .try_with_schema(schema)
        .map_err(arrow_status)?
        .with_endpoint(endpoint)
        .with_descriptor(descriptor)
        .with_ordered(true);
    Ok(Response::new(info))
}

/// A listing: the ticket is the question itself.
fn listing(
    schema: &Schema,
    query: &impl ProstMessageExt,
    request: Request<FlightDescriptor>,
) -> Result<Response<FlightInfo>, Status> {
    flight_info(schema, query.as_any().encode_to_vec(), request.into_inner())
}

fn one(batch: RecordBatch) -> Response<Rows> {
    Response::new(statement::rows(batch.schema(), vec![batch]))
}

fn text(handle: &Bytes) -> Result<String, Status> {
    match Handle::decode(handle)? {
        Handle::Query(text) => Ok(text),
        Handle::Result(_) => Err(Status::invalid_argument("the handle is not one of a prepared statement")),
    }
}

#[tonic::async_trait]
impl FlightSqlService for SqlService {
    type FlightService = Self;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Handshakes>, Status> {
        let (headers, _, mut messages) = request.into_parts();
        let payload = match messages.next().await {
            Some(message) => message?.payload,
            None => Bytes::new(),
        };
        let token = self.sessions.handshake(&headers, &payload).await?;
        let message = HandshakeResponse { protocol_version: 0, payload: Bytes::from(token.clone().into_bytes()) };
        let mut response: Response<Handshakes> = Response::new(Box::pin(futures::stream::iter([Ok(message)])));
        let header = format!("Bearer {token}").parse().map_err(|_| Status::internal("a token is no header"))?;
        response.metadata_mut().insert("authorization", header);
        Ok(response)
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.start(&query.query, request).await
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.start(&text(&query.prepared_statement_handle)?, request).await
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.session(request.metadata()).await?;
        listing(&query.into_builder().schema(), &query, request)
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.session(request.metadata()).await?;
        listing(&query.clone().into_builder().schema(), &query, request)
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.session(request.metadata()).await?;
        listing(&query.clone().into_builder().schema(), &query, request)
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.session(request.metadata()).await?;
        listing(&query.into_builder().schema(), &query, request)
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        self.session(request.metadata()).await?;
        listing(&self.info.schema(), &query, request)
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        let session = self.session(request.metadata()).await?;
        let handle = Handle::decode(&ticket.statement_handle)?;
        guarded(statement::fetch(&session, &self.sessions, handle)).await.map(Response::new)
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        let session = self.session(request.metadata()).await?;
        guarded(async {
            let text = text(&query.prepared_statement_handle)?;
            let started = statement::start(&session, &self.sessions, &text).await;
            let (_, handle) = started.map_err(|error| status(&error))?;
            statement::fetch(&session, &self.sessions, handle).await
        })
        .await
        .map(Response::new)
    }

    async fn do_get_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        let session = self.session(request.metadata()).await?;
        guarded(metadata::catalogs(&session, query)).await.map(one)
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        let session = self.session(request.metadata()).await?;
        guarded(metadata::schemas(&session, query)).await.map(one)
    }

    async fn do_get_tables(&self, query: CommandGetTables, request: Request<Ticket>) -> Result<Response<Rows>, Status> {
        let session = self.session(request.metadata()).await?;
        guarded(metadata::tables(&session, query)).await.map(one)
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.session(request.metadata()).await?;
        metadata::table_types(query).map(one)
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<Ticket>,
    ) -> Result<Response<Rows>, Status> {
        self.session(request.metadata()).await?;
        query.into_builder(&self.info).build().map_err(arrow_status).map(one)
    }

    async fn do_put_statement_update(
        &self,
        update: CommandStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        let session = self.session(request.metadata()).await?;
        guarded(put::update(&session, &update.query)).await
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        self.session(request.metadata()).await?;
        put::no_parameters(request.into_inner()).await?;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(query.prepared_statement_handle) })
    }

    async fn do_put_prepared_statement_update(
        &self,
        update: CommandPreparedStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        let session = self.session(request.metadata()).await?;
        let text = text(&update.prepared_statement_handle)?;
        put::no_parameters(request.into_inner()).await?;
        guarded(put::update(&session, &text)).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let session = self.session(request.metadata()).await?;
        guarded(async {
            let described = statement::describe(&session, &query.query).await.map_err(|error| status(&error))?;
            let dataset_schema = match described {
                Some(schema) => statement::schema_bytes(&schema)?,
                None => Bytes::new(),
            };
            Ok(ActionCreatePreparedStatementResult {
                prepared_statement_handle: Handle::Query(query.query).encode(),
                dataset_schema,
                parameter_schema: Bytes::new(),
            })
        })
        .await
    }

    async fn do_action_close_prepared_statement(
        &self,
        _query: ActionClosePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<(), Status> {
        self.session(request.metadata()).await?;
        Ok(())
    }

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}
