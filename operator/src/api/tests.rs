//! What the definitions say.

use super::*;
use serde_json::{Value, json};

#[test]
fn every_default_is_in_the_schema_and_the_same_here() {
    let definitions = crate::crd::all();
    let names: Vec<_> = definitions.iter().filter_map(|crd| crd.metadata.name.clone()).collect();
    assert_eq!(names, ["clusters", "jobs", "schedules", "tokens"].map(|kind| format!("firesteel{kind}.firesteel.dev")));
    let minimal = json!({"image": "i", "warehouse": "/w", "executorGroups": [{"name": "a", "max": 1}]});
    let spec: cluster::FiresteelClusterSpec = serde_json::from_value(minimal).unwrap();
    let told = serde_json::to_value(spec).unwrap();
    let schema = serde_json::to_value(&definitions[0]).unwrap();
    let properties = &schema["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    for field in ["autoscaling", "hibernation", "imagePullPolicy", "access", "allowUnauthenticated"] {
        assert_eq!(properties[field]["default"], told[field], "{field}");
    }
}

#[test]
fn every_rule_says_what_to_do() {
    fn rules(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    if key == "x-kubernetes-validations" {
                        found.extend(value.as_array().unwrap().iter().filter(|rule| rule["rule"].is_string()).cloned());
                    }
                    rules(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| rules(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for definition in crate::crd::all() {
        rules(&serde_json::to_value(definition).unwrap(), &mut found);
    }
    assert!(found.len() >= 15, "{}", found.len());
    for rule in found {
        assert!(rule["message"].as_str().is_some_and(|message| message.len() > 10), "{rule}");
    }
}

#[test]
fn the_time_of_a_condition_is_that_of_its_last_change() {
    let at = |second| Time(k8s_openapi::jiff::Timestamp::from_second(second).unwrap());
    let mut conditions = Vec::new();
    set_condition(&mut conditions, "Ready", Some(false), "Starting", "a", Some(1), at(1));
    set_condition(&mut conditions, "Ready", Some(false), "Failing", "b", Some(2), at(2));
    assert_eq!((conditions[0].last_transition_time.clone(), conditions[0].reason.as_str()), (at(1), "Failing"));
    set_condition(&mut conditions, "Ready", Some(true), "Ready", "", Some(2), at(3));
    assert_eq!((conditions.len(), conditions[0].last_transition_time.clone()), (1, at(3)));
}
