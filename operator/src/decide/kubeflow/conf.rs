//! `sparkConf` and `hadoopConf`: what of it a session takes, what the pods get as environment, and what is refused.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::EnvVar;

/// What the configuration comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Conf {
    /// For the session.
    pub(super) session: BTreeMap<String, String>,
    /// For all pods.
    pub(super) env: Vec<EnvVar>,
    pub(super) warehouse: Option<String>,
    /// `spark.dynamicAllocation.*`, without the prefix.
    pub(super) dynamic: BTreeMap<String, String>,
}

/// Keys of Spark SQL that say what only the JVM has, with the reason.
const REFUSED: &[(&str, &str)] = &[
    ("spark.sql.catalog.", "there are no other catalogs"),
    ("spark.sql.extensions", "extensions are classes of the JVM"),
    ("spark.sql.hive.metastore.", "there is no Hive metastore"),
];
/// Sources of credentials that are looked for without being told.
const AMBIENT: &[&str] = &[
    "EnvironmentVariableCredentialsProvider",
    "WebIdentityTokenCredentialsProvider",
    "WebIdentityTokenFileCredentialsProvider",
    "InstanceProfileCredentialsProvider",
    "IAMInstanceCredentialsProvider",
    "ContainerCredentialsProvider",
    "DefaultAWSCredentialsProviderChain",
    "DefaultCredentialsProvider",
    "SimpleAWSCredentialsProvider",
    "TemporaryAWSCredentialsProvider",
];

/// Reads both maps.
pub(super) fn conf(
    spark: BTreeMap<String, String>,
    hadoop: BTreeMap<String, String>,
    problems: &mut Vec<String>,
) -> Conf {
    let mut found = Conf::default();
    let mut s3a = BTreeMap::new();
    let spark = spark.into_iter().map(|(key, value)| (format!("spec.sparkConf.{key}"), key, value));
    let hadoop = hadoop.into_iter().map(|(key, value)| {
        let name = format!("spec.hadoopConf.{key}");
        (name, format!("spark.hadoop.{key}"), value)
    });
    for (name, key, value) in spark.chain(hadoop) {
        if let Some((_, why)) = REFUSED.iter().find(|(prefix, _)| key.starts_with(prefix)) {
            problems.push(format!("{name}: not supported by Firesteel: {why}"));
        } else if key == "spark.sql.warehouse.dir" {
            found.warehouse = Some(value);
        } else if key == "spark.sql.catalogImplementation" && value == "in-memory" {
            // So it is.
        } else if key == "spark.sql.catalogImplementation" {
            problems.push(format!("{name}: not supported by Firesteel: there is no Hive metastore"));
        } else if let Some(key) = key.strip_prefix("spark.dynamicAllocation.") {
            found.dynamic.insert(key.to_owned(), value);
        } else if let Some(key) = key.strip_prefix("spark.hadoop.fs.s3a.") {
            s3a.insert(key.to_owned(), (name, value));
        } else if key.starts_with("spark.sql.") {
            found.session.insert(key, value);
        } else {
            problems.push(format!("{name}: not supported by Firesteel"));
        }
    }
    found.env = store(s3a, problems);
    found
}

/// Settings of S3 as the variables the pods read them from.
fn store(mut s3a: BTreeMap<String, (String, String)>, problems: &mut Vec<String>) -> Vec<EnvVar> {
    let mut env: Vec<(&str, String)> = Vec::new();
    let plain =
        s3a.remove("connection.ssl.enabled").is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case("false"));
    for (key, (name, value)) in s3a {
        match key.as_str() {
            "access.key" => env.push(("AWS_ACCESS_KEY_ID", value)),
            "secret.key" => env.push(("AWS_SECRET_ACCESS_KEY", value)),
            "session.token" => env.push(("AWS_SESSION_TOKEN", value)),
            "endpoint.region" => env.push(("AWS_REGION", value)),
            "path.style.access" => env.push(("AWS_S3_FORCE_PATH_STYLE", value)),
            "endpoint" if value.contains("://") => env.push(("AWS_ENDPOINT_URL", value)),
            "endpoint" if plain => env.push(("AWS_ENDPOINT_URL", format!("http://{value}"))),
            "endpoint" => env.push(("AWS_ENDPOINT_URL", format!("https://{value}"))),
            "impl" if value.ends_with(".S3AFileSystem") => {}
            "aws.credentials.provider" => {
                let classes = value.split(',').map(|class| class.trim().rsplit(['.', '$']).next().unwrap_or_default());
                let classes: Vec<&str> = classes.collect();
                if let ["AnonymousAWSCredentialsProvider"] = classes.as_slice() {
                    env.push(("AWS_SKIP_SIGNATURE", "true".into()));
                } else if let Some(class) = classes.iter().find(|class| !AMBIENT.contains(class)) {
                    problems.push(format!("{name}: not supported by Firesteel: {class}"));
                }
            }
            _ => problems.push(format!("{name}: not supported by Firesteel")),
        }
    }
    let variable = |(name, value): (&str, String)| EnvVar {
        name: name.to_owned(),
        // Kubernetes would put values in for references.
        value: Some(value.replace("$(", "$$(")),
        ..EnvVar::default()
    };
    env.into_iter().map(variable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn read(spark: &[(&str, &str)], hadoop: &[(&str, &str)]) -> (Conf, Vec<String>) {
        let mut problems = Vec::new();
        (conf(map(spark), map(hadoop), &mut problems), problems)
    }

    #[test]
    fn sessions_stores_and_executors_each_get_what_is_theirs() {
        let (conf, problems) = read(
            &[
                ("spark.sql.shuffle.partitions", "8"),
                ("spark.sql.warehouse.dir", "s3a://b/w"),
                ("spark.sql.catalogImplementation", "in-memory"),
                ("spark.dynamicAllocation.maxExecutors", "4"),
                ("spark.hadoop.fs.s3a.endpoint", "minio:9000"),
                ("spark.hadoop.fs.s3a.connection.ssl.enabled", "false"),
                ("spark.hadoop.fs.s3a.impl", "org.apache.hadoop.fs.s3a.S3AFileSystem"),
            ],
            &[("fs.s3a.access.key", "k"), ("fs.s3a.secret.key", "s$(x)"), ("fs.s3a.path.style.access", "true")],
        );
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(conf.session, map(&[("spark.sql.shuffle.partitions", "8")]));
        assert_eq!((conf.warehouse.as_deref(), &conf.dynamic), (Some("s3a://b/w"), &map(&[("maxExecutors", "4")])));
        let env: Vec<_> = conf.env.iter().map(|v| (v.name.as_str(), v.value.as_deref().unwrap())).collect();
        assert_eq!(
            env,
            [
                ("AWS_ACCESS_KEY_ID", "k"),
                ("AWS_ENDPOINT_URL", "http://minio:9000"),
                ("AWS_S3_FORCE_PATH_STYLE", "true"),
                ("AWS_SECRET_ACCESS_KEY", "s$$(x)"),
            ]
        );
    }

    #[test]
    fn where_credentials_come_from_is_understood_or_refused() {
        let key = "spark.hadoop.fs.s3a.aws.credentials.provider";
        let of = |value: &str| read(&[(key, value)], &[]);
        let (conf, problems) = of("org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider");
        assert_eq!((conf.env[0].name.as_str(), problems.len()), ("AWS_SKIP_SIGNATURE", 0));
        assert_eq!(
            of("com.amazonaws.auth.WebIdentityTokenCredentialsProvider, x.EnvironmentVariableCredentialsProvider")
                .1
                .len(),
            0
        );
        assert!(of("com.example.Mine").1[0].ends_with("not supported by Firesteel: Mine"));
    }

    #[test]
    fn everything_else_is_refused_by_its_key() {
        for (key, value) in [
            ("spark.executor.extraJavaOptions", "-Xss1m"),
            ("spark.jars.packages", "a:b:1"),
            ("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog"),
            ("spark.sql.extensions", "x"),
            ("spark.sql.catalogImplementation", "hive"),
            ("spark.hadoop.fs.s3a.assumed.role.arn", "arn"),
            ("spark.hadoop.fs.gs.impl", "x"),
        ] {
            let (_, problems) = read(&[(key, value)], &[]);
            assert_eq!(problems.len(), 1, "{key}");
            assert!(
                problems[0].starts_with(&format!("spec.sparkConf.{key}: not supported by Firesteel")),
                "{problems:?}"
            );
        }
        assert!(read(&[], &[("dfs.replication", "1")]).1[0].starts_with("spec.hadoopConf.dfs.replication: "));
    }
}
