//! `Config`: reading and writing `spark.conf`.

use firesteel_functions::error::{SparkError, SparkResult};
use firesteel_proto::spark::connect as sc;
use firesteel_spark::conf::RuntimeConf;
use sc::config_request::operation::OpType;
use tonic::Status;

use crate::decode;
use crate::error;
use crate::registry::Registry;

pub(super) fn config(registry: &Registry, request: sc::ConfigRequest) -> Result<sc::ConfigResponse, Status> {
    let observed = request.client_observed_server_side_session_id.as_deref();
    let session = registry
        .open(request.user_context.as_ref(), &request.session_id, observed)
        .map_err(|error| error::status(&error))?;
    let mut response = sc::ConfigResponse {
        session_id: request.session_id,
        server_side_session_id: session.server_side_id(),
        ..Default::default()
    };
    let conf = session.spark.conf();
    let operation = request.operation.and_then(|operation| operation.op_type).ok_or_else(|| {
        let parameters = [("fullName", "spark.connect.ConfigRequest.Operation"), ("name", "op_type")];
        session.status(&decode::invalid("INVALID_ONE_OF_FIELD_NOT_SET", &parameters))
    })?;
    apply(conf, operation, &mut response).map_err(|error| session.status(&error))?;
    Ok(response)
}

fn apply(conf: &RuntimeConf, operation: OpType, response: &mut sc::ConfigResponse) -> SparkResult<()> {
    let pair = |key: String, value: Option<String>| sc::KeyValue { key, value };
    match operation {
        OpType::Set(set) => {
            let silent = set.silent();
            for sc::KeyValue { key, value } in set.pairs {
                match (conf.set(&key, value.as_deref().unwrap_or_default()), silent) {
                    (Ok(()), _) => {}
                    (Err(error), true) => response.warnings.push(warning(&key, &error)),
                    (Err(error), false) => return Err(error),
                }
            }
        }
        OpType::Get(get) => {
            for key in get.keys {
                let value = conf.get(&key)?;
                response.pairs.push(pair(key, Some(value)));
            }
        }
        OpType::GetWithDefault(get) => {
            for sc::KeyValue { key, value } in get.pairs {
                let value = conf.get_or(&key, value.as_deref());
                response.pairs.push(pair(key, value));
            }
        }
        OpType::GetOption(get) => {
            for key in get.keys {
                let value = conf.get_option(&key);
                response.pairs.push(pair(key, value));
            }
        }
        OpType::GetAll(get) => {
            let prefix = get.prefix.unwrap_or_default();
            for (key, value) in conf.get_all() {
                if let Some(rest) = key.strip_prefix(&prefix) {
                    response.pairs.push(pair(rest.to_string(), Some(value)));
                }
            }
        }
        OpType::Unset(unset) => {
            for key in unset.keys {
                conf.unset(&key)?;
            }
        }
        OpType::IsModifiable(keys) => {
            for key in keys.keys {
                let value = conf.is_modifiable(&key).to_string();
                response.pairs.push(pair(key, Some(value)));
            }
        }
    }
    Ok(())
}

fn warning(key: &str, error: &SparkError) -> String {
    format!("The SQL config '{key}' was not set: {error}")
}
