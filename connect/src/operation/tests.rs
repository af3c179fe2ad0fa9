//! The buffer between a query and its client.

use std::sync::Arc;

use firesteel_proto::spark::connect as sc;
use sc::execute_plan_response::{ArrowBatch, ResponseType};

use super::{Identity, Operation, Outcome};

fn operation(reattachable: bool) -> Arc<Operation> {
    Operation::new(Identity {
        session_id: "s".into(),
        server_side_session_id: "x".into(),
        operation_id: uuid::Uuid::new_v4(),
        tags: vec![],
        reattachable,
    })
}

fn response(bytes: usize) -> sc::ExecutePlanResponse {
    let data = vec![0; bytes].into();
    let batch = ArrowBatch { row_count: 1, data, start_offset: None, chunk_index: None, num_chunks_in_batch: None };
    sc::ExecutePlanResponse { response_type: Some(ResponseType::ArrowBatch(batch)), ..Default::default() }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_missed() {
    let operation = operation(true);
    for _ in 0..4 {
        operation.push(response(10)).await.unwrap();
    }
    operation.finish(Ok(()), Outcome::Succeeded);
    let mut stream = operation.attach(None).unwrap();
    let mut ids = vec![];
    for _ in 0..3 {
        ids.push(stream.next().await.unwrap().unwrap().response_id);
    }
    drop(stream);
    assert!(operation.detached_for().is_some() && !operation.cancel.is_cancelled());
    let mut stream = operation.attach(Some(&ids[0])).unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().response_id, ids[1]);
    operation.release_until(&ids[1]).unwrap();
    assert_eq!(stream.next().await.unwrap().unwrap().response_id, ids[2]);
    stream.next().await.unwrap().unwrap();
    assert!(stream.next().await.is_none());
    assert!(operation.attach(None).unwrap_err().message().contains("POSITION_NOT_AVAILABLE"));
    assert!(operation.attach(Some("nonsense")).unwrap_err().message().contains("POSITION_NOT_FOUND"));
}

#[tokio::test]
async fn a_second_stream_disconnects_the_first() {
    let operation = operation(true);
    let mut first = operation.attach(None).unwrap();
    let _second = operation.attach(None).unwrap();
    assert!(first.next().await.unwrap().unwrap_err().message().contains("INVALID_CURSOR.DISCONNECTED"));
}

#[tokio::test]
async fn a_slow_client_holds_the_query_back() {
    let operation = operation(false);
    operation.push(response(super::AHEAD_BYTES)).await.unwrap();
    let waiting = operation.push(response(1));
    tokio::pin!(waiting);
    assert!(futures::poll!(&mut waiting).is_pending());
    let mut stream = operation.attach(None).unwrap();
    stream.next().await.unwrap().unwrap();
    waiting.await.unwrap();
    drop(stream);
    assert!(operation.cancel.is_cancelled(), "nobody can come back for the rest");
    assert!(operation.push(response(1)).await.is_err());
}
