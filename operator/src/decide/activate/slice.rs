//! The EndpointSlice by which a cluster's Service leads to the operator, as Kubernetes is asked for it.
//!
//! A Service leads to the endpoints of all slices that name it by a label, whoever made them, and the controller that makes
//! those of pods leaves alone what is managed by others
//! (<https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/>).

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::CLUSTER;
use crate::decide::pods::{CONNECT_PORT, FLIGHT_PORT, Named, REST_PORT};

/// Ports of the Service that lead here, with their names there.
pub(crate) const PORTS: [(&str, i32); 3] =
    [("spark-connect", CONNECT_PORT), ("flight-sql", FLIGHT_PORT), ("rest", REST_PORT)];

/// The slice's name.
pub(crate) fn name(cluster: &str) -> String {
    format!("{cluster}-activator")
}

/// The slice; `listening` is where the operator listens for each of [`PORTS`].
pub(crate) fn object(cluster: &Named<'_>, address: IpAddr, listening: &[u16]) -> EndpointSlice {
    let port = |(&(name, _), &listening): (&(&str, i32), &u16)| EndpointPort {
        name: Some(name.to_owned()),
        port: Some(i32::from(listening)),
        protocol: Some("TCP".into()),
        ..EndpointPort::default()
    };
    EndpointSlice {
        metadata: ObjectMeta {
            name: Some(name(cluster.name)),
            namespace: Some(cluster.namespace.to_owned()),
            labels: Some(BTreeMap::from([
                ("app.kubernetes.io/managed-by".to_owned(), "firesteel-operator".to_owned()),
                ("endpointslice.kubernetes.io/managed-by".to_owned(), "firesteel-operator".to_owned()),
                ("kubernetes.io/service-name".to_owned(), cluster.name.to_owned()),
                (CLUSTER.to_owned(), cluster.name.to_owned()),
            ])),
            owner_references: Some(vec![cluster.owner.clone()]),
            ..ObjectMeta::default()
        },
        address_type: if address.is_ipv4() { "IPv4" } else { "IPv6" }.into(),
        endpoints: Some(vec![Endpoint {
            addresses: vec![address.to_string()],
            conditions: Some(EndpointConditions { ready: Some(true), ..EndpointConditions::default() }),
            ..Endpoint::default()
        }]),
        ports: Some(PORTS.iter().zip(listening).map(port).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::json;

    #[test]
    fn a_slice_says_where_the_operator_listens_for_each_port_of_the_service() {
        let spec = serde_json::from_value(json!({
            "image": "i", "warehouse": "/w", "allowUnauthenticated": true, "executorGroups": [{"name": "a", "max": 2}],
        }))
        .unwrap();
        let named = Named { name: "c", namespace: "n", owner: OwnerReference::default(), spec: &spec };
        let made =
            |address: &str| serde_json::to_value(object(&named, address.parse().unwrap(), &[41, 42, 43])).unwrap();
        let slice = made("10.1.2.3");
        assert_eq!(slice["metadata"]["labels"]["kubernetes.io/service-name"], "c");
        assert_eq!(slice["endpoints"][0]["addresses"], json!(["10.1.2.3"]));
        let ports = slice["ports"].as_array().unwrap().iter().map(|port| (&port["name"], &port["port"]));
        assert_eq!(
            ports.collect::<Vec<_>>(),
            [(&json!("spark-connect"), &json!(41)), (&json!("flight-sql"), &json!(42)), (&json!("rest"), &json!(43))]
        );
        assert_eq!((&slice["addressType"], &made("fd00::1")["addressType"]), (&json!("IPv4"), &json!("IPv6")));
    }

    #[test]
    fn ports_have_the_names_of_the_service_s() {
        let spec = serde_json::from_value(json!({
            "image": "i", "warehouse": "/w", "allowUnauthenticated": true, "executorGroups": [{"name": "a", "max": 2}],
        }))
        .unwrap();
        let service = crate::decide::pods::service(&Named {
            name: "c",
            namespace: "n",
            owner: OwnerReference::default(),
            spec: &spec,
        });
        let there: Vec<(String, i32)> =
            service.spec.unwrap().ports.unwrap().into_iter().map(|port| (port.name.unwrap(), port.port)).collect();
        for (name, port) in PORTS {
            assert!(there.contains(&(name.to_owned(), port)), "{name}");
        }
    }
}
