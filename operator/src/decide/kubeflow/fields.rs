//! Reads the fields of an object one by one, and tells of those that nobody asked for.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Why an application is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

/// Why a field is refused, by its name; others are just not supported.
const REASONS: &[(&str, &str)] = &[
    ("affinity", "pods are placed by nodeSelector and tolerations"),
    ("archives", "put what the script needs into its image or a volume"),
    ("batchScheduler", "pods are placed by the default scheduler of Kubernetes"),
    ("batchSchedulerOptions", "pods are placed by the default scheduler of Kubernetes"),
    ("driverIngressOptions", "a FiresteelCluster has spec.ingress"),
    ("failureRetries", "use restartPolicy.onFailureRetries"),
    ("files", "put what the script needs into its image or a volume"),
    ("gpu", "no task uses a GPU"),
    ("hadoopConfigMap", "configuration files are not read: use hadoopConf"),
    ("initContainers", "pods are made by the operator"),
    ("jars", "there is no JVM"),
    ("javaOptions", "there is no JVM"),
    ("monitoring", "the scheduler has metrics for Prometheus at port 8080"),
    ("podSecurityContext", "pods are made by the operator and have no more rights than they need"),
    ("proxyUser", "queries run as the cluster's own user"),
    ("retryInterval", "use restartPolicy.onFailureRetryInterval"),
    ("schedulerName", "pods are placed by the default scheduler of Kubernetes"),
    ("sidecars", "pods are made by the operator"),
    ("sparkConfigMap", "configuration files are not read: use sparkConf"),
    ("sparkUIOptions", "a FiresteelCluster has spec.ingress"),
    ("template", "pods are made by the operator"),
];

/// Fields that have not been asked for yet.
#[derive(Debug)]
pub(super) struct Fields {
    path: String,
    rest: Map<String, Value>,
}

impl Fields {
    /// The fields of an object; nothing is an object without fields.
    pub(super) fn of(path: &str, value: &Value) -> Result<Self, Refused> {
        let rest = match value {
            Value::Null => Map::new(),
            Value::Object(fields) => fields.clone(),
            _ => return Err(Refused(format!("{path}: must be an object"))),
        };
        Ok(Self { path: path.to_owned(), rest })
    }

    /// A field; what is empty is not there.
    pub(super) fn take<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, Refused> {
        match self.rest.remove(key).filter(|value| !is_empty(value)) {
            None => Ok(None),
            Some(value) => match serde_json::from_value(value) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(self.refuse(key, &error.to_string())),
            },
        }
    }

    /// A field that somebody else asks for.
    pub(super) fn peek(&self, key: &str) -> Option<&Value> {
        self.rest.get(key)
    }

    /// A field, or its type's idea of nothing.
    pub(super) fn or_default<T: DeserializeOwned + Default>(&mut self, key: &str) -> Result<T, Refused> {
        Ok(self.take(key)?.unwrap_or_default())
    }

    /// A field that is an object with fields of its own.
    pub(super) fn object(&mut self, key: &str) -> Result<Self, Refused> {
        let value = self.rest.remove(key).unwrap_or_default();
        Self::of(&self.name(key), &value)
    }

    /// A sentence about a field.
    pub(super) fn refuse(&self, key: &str, why: &str) -> Refused {
        Refused(format!("{}: {why}", self.name(key)))
    }

    /// The path of a field.
    pub(super) fn name(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    /// Tells of all fields that nobody asked for, in the order of their names.
    pub(super) fn done(self, problems: &mut Vec<String>) {
        let left = self.rest.iter().filter(|(_, value)| !is_empty(value) && *value != &Value::Bool(false));
        let mut keys: Vec<&String> = left.map(|(key, _)| key).collect();
        keys.sort();
        for key in keys {
            let why = match REASONS.iter().find(|(name, _)| name == key) {
                Some((_, why)) => format!("not supported by Firesteel: {why}"),
                None => "not supported by Firesteel".to_owned(),
            };
            problems.push(self.refuse(key, &why).0);
        }
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_nobody_asked_for_is_told_by_its_path_and_what_is_empty_is_not_there() {
        let value =
            json!({"cores": 1, "gpu": {"name": "n"}, "odd": 1, "affinity": {}, "hostNetwork": false, "x": null});
        let mut fields = Fields::of("spec.driver", &value).unwrap();
        assert_eq!(fields.take::<i32>("cores").unwrap(), Some(1));
        assert_eq!(fields.take::<i32>("memory").unwrap(), None);
        let mut problems = Vec::new();
        fields.done(&mut problems);
        assert_eq!(
            problems,
            [
                "spec.driver.gpu: not supported by Firesteel: no task uses a GPU",
                "spec.driver.odd: not supported by Firesteel",
            ]
        );
    }

    #[test]
    fn a_field_of_another_type_is_told_by_its_path() {
        let mut fields = Fields::of("spec", &json!({"cores": "many", "driver": 7})).unwrap();
        assert!(fields.take::<i32>("cores").unwrap_err().0.starts_with("spec.cores: "));
        assert_eq!(fields.object("driver").unwrap_err().0, "spec.driver: must be an object");
    }
}
