//! Slots, and what pods may do and know of themselves.

use super::*;
use serde_json::{Value, json};

fn spec(image: &str) -> FiresteelClusterSpec {
    serde_json::from_value(json!({
        "image": image, "warehouse": "s3a://b/w", "allowUnauthenticated": true,
        "executorGroups": [{"name": "a", "max": 2, "resources": {"requests": {"cpu": "2500m"}}}],
    }))
    .unwrap()
}

fn named(spec: &FiresteelClusterSpec) -> Named<'_> {
    Named { name: "c", namespace: "n", owner: OwnerReference::default(), spec }
}

#[test]
fn slots_are_whole_cores_or_as_said() {
    assert_eq!(
        [cores("4"), cores("2500m"), cores("0.5"), cores("x"), cores("-1")],
        [Some(4), Some(2), Some(0), None, None]
    );
    let mut group = spec("i").executor_groups.remove(0);
    assert_eq!(slots(&group), 2);
    group.task_slots = Some(7);
    assert_eq!(slots(&group), 7);
    (group.task_slots, group.placement.resources) = (None, None);
    assert_eq!(slots(&group), 1);
}

#[test]
fn what_takes_effect_in_place_changes_no_shape_and_everything_else_does() {
    let pod = |slots: Value, resources: Value| {
        let mut spec = spec("i");
        let mut group = json!({"name": "a", "max": 2, "resources": resources});
        group.as_object_mut().unwrap().insert("taskSlots".into(), slots);
        spec.executor_groups = vec![serde_json::from_value(group).unwrap()];
        executor(&named(&spec), &spec.executor_groups[0], 0)
    };
    let sized = |cpu: &str, limit: &str, memory: &str, most: &str| json!({"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": limit, "memory": most}});
    let before = pod(json!(2), sized("1", "2", "1Gi", "2Gi"));
    let same = |other: &Pod| (made(&before).from == made(other).from, made(&before).shape == made(other).shape);
    assert_eq!(same(&pod(json!(2), sized("1", "2", "1Gi", "2Gi"))), (true, true));
    for in_place in [sized("3", "2", "1Gi", "2Gi"), sized("1", "4", "1Gi", "2Gi"), sized("1", "2", "2Gi", "2Gi")] {
        assert_eq!(same(&pod(json!(2), in_place)), (false, true));
    }
    // The pool of memory is as large as the limit was, and slots are an argument.
    assert_eq!(same(&pod(json!(2), sized("1", "2", "1Gi", "4Gi"))), (false, false));
    assert_eq!(same(&pod(json!(3), sized("1", "2", "1Gi", "2Gi"))), (false, false));
    assert_eq!(
        same(&pod(json!(2), json!({"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "2Gi"}}))),
        (false, false)
    );
    let derived = |cpu: &str| pod(Value::Null, json!({"requests": {"cpu": cpu}}));
    assert_eq!(made(&derived("2")).shape, made(&derived("2500m")).shape);
    assert_ne!(made(&derived("2")).shape, made(&derived("3")).shape);
}

#[test]
fn pods_are_unprivileged_and_know_what_they_were_made_from() {
    let (old, new) = (spec("firesteel:1"), spec("firesteel:2"));
    let pod = |spec| executor(&named(spec), &spec.executor_groups[0], 3);
    assert_eq!(pod(&old).metadata.name.as_deref(), Some("c-a-3"));
    assert_eq!(made_from(&pod(&old)), made_from(&executor(&named(&old), &old.executor_groups[0], 4)));
    assert_ne!(made_from(&pod(&old)), made_from(&pod(&new)));
    let mut labelled = old.clone();
    labelled.executor_groups[0].placement.labels = [("team".to_owned(), "a".to_owned())].into();
    assert_ne!(made_from(&pod(&old)), made_from(&pod(&labelled)));
    let mut noted = old.clone();
    noted.executor_groups[0].placement.annotations = labelled.executor_groups[0].placement.labels.clone();
    assert_ne!(made_from(&pod(&noted)), made_from(&pod(&labelled)));
    let labels = pod(&labelled).metadata.labels.unwrap();
    assert_eq!((labels["team"].as_str(), labels[COMPONENT].as_str()), ("a", "executor"));
    for pod in [pod(&old), scheduler(&named(&old))] {
        let spec = pod.spec.unwrap();
        assert_eq!(spec.security_context.unwrap().run_as_non_root, Some(true));
        assert_eq!(spec.automount_service_account_token, Some(false));
        let container = spec.containers[0].security_context.clone().unwrap();
        assert_eq!(container.allow_privilege_escalation, Some(false));
        assert_eq!(container.read_only_root_filesystem, Some(true));
    }
}
