//! The Ingress of a cluster, as Kubernetes is asked for it.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressSpec,
    IngressTLS, ServiceBackendPort,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::pods::{CONNECT_PORT, FLIGHT_PORT, Named, REST_PORT};
use crate::api::CLUSTER;
use crate::api::cluster::ingress::{self, Exposed};

/// The Ingress, where the cluster has one.
pub(crate) fn object(cluster: &Named<'_>) -> Option<Ingress> {
    let wanted = cluster.spec.ingress.as_ref()?;
    let port = match wanted.service {
        Exposed::Rest => REST_PORT,
        Exposed::SparkConnect => CONNECT_PORT,
        Exposed::FlightSql => FLIGHT_PORT,
    };
    let service = IngressServiceBackend {
        name: cluster.name.to_owned(),
        port: Some(ServiceBackendPort { number: Some(port), ..ServiceBackendPort::default() }),
    };
    let path = HTTPIngressPath {
        path: Some(wanted.path.clone()),
        path_type: "Prefix".into(),
        backend: IngressBackend { service: Some(service), ..IngressBackend::default() },
    };
    let rule = IngressRule { host: Some(wanted.host.clone()), http: Some(HTTPIngressRuleValue { paths: vec![path] }) };
    let tls = wanted
        .tls_secret_name
        .as_ref()
        .map(|secret| vec![IngressTLS { hosts: Some(vec![wanted.host.clone()]), secret_name: Some(secret.clone()) }]);
    Some(Ingress {
        metadata: ObjectMeta {
            name: Some(cluster.name.to_owned()),
            namespace: Some(cluster.namespace.to_owned()),
            labels: Some(BTreeMap::from([
                ("app.kubernetes.io/managed-by".to_owned(), "firesteel-operator".to_owned()),
                (CLUSTER.to_owned(), cluster.name.to_owned()),
            ])),
            annotations: Some(wanted.annotations.clone()).filter(|all| !all.is_empty()),
            owner_references: Some(vec![cluster.owner.clone()]),
            ..ObjectMeta::default()
        },
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            rules: Some(vec![rule]),
            tls,
            ..IngressSpec::default()
        }),
        ..Ingress::default()
    })
}

/// Where clients connect from outside.
pub(crate) fn address(wanted: &ingress::Ingress) -> String {
    let (host, path) = (&wanted.host, &wanted.path);
    match (wanted.service, wanted.tls_secret_name.is_some()) {
        (Exposed::Rest, true) => format!("https://{host}{path}"),
        (Exposed::Rest, false) => format!("http://{host}{path}"),
        (Exposed::SparkConnect, true) => format!("sc://{host}:443/;use_ssl=true"),
        (Exposed::SparkConnect, false) => format!("sc://{host}:80"),
        (Exposed::FlightSql, true) => format!("grpc+tls://{host}:443"),
        (Exposed::FlightSql, false) => format!("grpc://{host}:80"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cluster::FiresteelClusterSpec;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
    use serde_json::{Value, json};

    fn spec(ingress: Value) -> FiresteelClusterSpec {
        let mut spec = json!({
            "image": "i", "warehouse": "/w", "allowUnauthenticated": true,
            "executorGroups": [{"name": "a", "max": 1, "taskSlots": 1}],
        });
        spec.as_object_mut().unwrap().insert("ingress".into(), ingress);
        serde_json::from_value(spec).unwrap()
    }

    fn made(spec: &FiresteelClusterSpec) -> Option<Value> {
        let owner = OwnerReference { uid: "u".into(), ..OwnerReference::default() };
        object(&Named { name: "c", namespace: "n", owner, spec }).map(|object| serde_json::to_value(object).unwrap())
    }

    #[test]
    fn a_host_leads_to_the_web_page_and_belongs_to_the_cluster() {
        let spec = spec(json!({"host": "c.example.com", "className": "nginx", "tlsSecretName": "cert",
                               "annotations": {"cert-manager.io/cluster-issuer": "all"}}));
        let made = made(&spec).unwrap();
        assert_eq!(
            (&made["metadata"]["name"], &made["metadata"]["ownerReferences"][0]["uid"]),
            (&json!("c"), &json!("u"))
        );
        assert_eq!(made["metadata"]["annotations"], json!({"cert-manager.io/cluster-issuer": "all"}));
        assert_eq!(made["spec"]["ingressClassName"], "nginx");
        assert_eq!(made["spec"]["tls"], json!([{"hosts": ["c.example.com"], "secretName": "cert"}]));
        let rule = &made["spec"]["rules"][0];
        assert_eq!((&rule["host"], &rule["http"]["paths"][0]["path"]), (&json!("c.example.com"), &json!("/")));
        let service = &rule["http"]["paths"][0]["backend"]["service"];
        assert_eq!(service, &json!({"name": "c", "port": {"number": 8080}}));
        assert_eq!(address(spec.ingress.as_ref().unwrap()), "https://c.example.com/");
    }

    #[test]
    fn other_ports_are_said_and_addresses_are_what_clients_take() {
        let found = |service: &str, more: Value| {
            let mut ingress = json!({"host": "h", "service": service});
            ingress.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let spec = spec(ingress);
            let port =
                made(&spec).unwrap()["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["port"]["number"]
                    .clone();
            (port, address(spec.ingress.as_ref().unwrap()))
        };
        let tls = json!({"tlsSecretName": "s"});
        assert_eq!(found("SparkConnect", tls.clone()), (json!(15002), "sc://h:443/;use_ssl=true".into()));
        assert_eq!(found("FlightSql", tls), (json!(32010), "grpc+tls://h:443".into()));
        assert_eq!(found("Rest", json!({"path": "/fire"})), (json!(8080), "http://h/fire".into()));
    }

    #[test]
    fn without_an_ingress_there_is_none() {
        assert!(made(&spec(Value::Null)).is_none());
    }
}
