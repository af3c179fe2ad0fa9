//! The effective configuration of one bucket: process environment under Hadoop's `fs.s3a.*` keys.
//!
//! Equal configurations share a client, so this type is a map key; it must never be printed.

use std::collections::BTreeMap;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::options::StoreOptions;
use crate::error::{ConnectorError, Result};

/// Settings by object_store's own names (`aws_access_key_id`, ...).
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct S3Config {
    bucket: String,
    settings: BTreeMap<String, String>,
}

const CREDENTIALS: [&str; 3] = ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"];

impl S3Config {
    pub(super) fn resolve(bucket: &str, env: &BTreeMap<String, String>, options: &StoreOptions) -> Result<Self> {
        let mut settings = from_env(env);
        let hadoop = |name: &str| options.s3a(bucket, name);
        reject_unsupported(&hadoop)?;

        let providers = hadoop("aws.credentials.provider").map(Providers::parse).transpose()?.unwrap_or_default();
        if providers.anonymous {
            CREDENTIALS.iter().for_each(|key| drop(settings.remove(*key)));
            settings.insert("aws_skip_signature".to_owned(), "true".to_owned());
        } else if let Some(access_key) = hadoop("access.key").filter(|_| providers.explicit_keys) {
            let secret = hadoop("secret.key")
                .ok_or_else(|| ConnectorError::MissingOption { key: "fs.s3a.secret.key".to_owned() })?;
            CREDENTIALS.iter().for_each(|key| drop(settings.remove(*key)));
            settings.remove("aws_skip_signature");
            settings.insert("aws_access_key_id".to_owned(), access_key.to_owned());
            settings.insert("aws_secret_access_key".to_owned(), secret.to_owned());
            if let Some(token) = hadoop("session.token") {
                settings.insert("aws_session_token".to_owned(), token.to_owned());
            }
        } else if providers.only_explicit_keys {
            return Err(ConnectorError::MissingOption { key: "fs.s3a.access.key".to_owned() });
        }

        if let Some(region) = hadoop("endpoint.region") {
            settings.insert("aws_region".to_owned(), region.to_owned());
        }
        if let Some(endpoint) = hadoop("endpoint") {
            let ssl = hadoop("connection.ssl.enabled").map(|v| boolean("connection.ssl.enabled", v)).transpose()?;
            set_endpoint(&mut settings, endpoint, ssl.unwrap_or(true));
        }
        if let Some(algorithm) = hadoop("encryption.algorithm").or_else(|| hadoop("server-side-encryption-algorithm")) {
            let sse = match algorithm {
                "AES256" => "AES256",
                "SSE-KMS" => "aws:kms",
                other => {
                    return Err(ConnectorError::Unsupported {
                        feature: format!("fs.s3a.encryption.algorithm={other}"),
                    });
                }
            };
            settings.insert("aws_server_side_encryption".to_owned(), sse.to_owned());
            if let Some(kms) = hadoop("encryption.key").or_else(|| hadoop("server-side-encryption.key")) {
                settings.insert("aws_sse_kms_key_id".to_owned(), kms.to_owned());
            }
        }
        let path_style = hadoop("path.style.access").map(|v| boolean("path.style.access", v)).transpose()?;
        if let Some(path_style) = path_style {
            settings.insert("aws_virtual_hosted_style_request".to_owned(), (!path_style).to_string());
        }
        virtual_host(&mut settings, bucket);
        settings.entry("aws_region".to_owned()).or_insert_with(|| "us-east-1".to_owned());
        let plain = settings.get("aws_endpoint").is_some_and(|endpoint| endpoint.starts_with("http://"));
        if plain {
            settings.insert("aws_allow_http".to_owned(), "true".to_owned());
        }
        Ok(Self { bucket: bucket.to_owned(), settings })
    }

    /// Builds the client. Retries are short: a wrong endpoint must be told within seconds, not minutes.
    pub(super) fn build(&self) -> Result<AmazonS3> {
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(3),
                base: 2.0,
            },
            max_retries: 6,
            retry_timeout: Duration::from_secs(10),
        };
        let client = ClientOptions::new()
            .with_connect_timeout(Duration::from_secs(4))
            .with_timeout(Duration::from_secs(180))
            .with_pool_idle_timeout(Duration::from_secs(60));
        // Client options come first: single settings (allow_http) are laid over them.
        let mut builder = AmazonS3Builder::new().with_client_options(client);
        for (key, value) in &self.settings {
            let key: AmazonS3ConfigKey = key.parse().map_err(|_| ConnectorError::option(key, "unknown S3 setting"))?;
            builder = builder.with_config(key, value);
        }
        builder
            .with_bucket_name(&self.bucket)
            .with_retry(retry)
            .build()
            .map_err(|error| ConnectorError::option("fs.s3a", crate::error::chain(&error)))
    }
}

/// Which credential sources a provider list allows.
#[derive(Debug, Clone, Copy)]
struct Providers {
    anonymous: bool,
    explicit_keys: bool,
    only_explicit_keys: bool,
}

impl Default for Providers {
    fn default() -> Self {
        Self { anonymous: false, explicit_keys: true, only_explicit_keys: false }
    }
}

impl Providers {
    fn parse(list: &str) -> Result<Self> {
        let (mut anonymous, mut explicit, mut ambient) = (false, false, false);
        for class in list.split(',').map(str::trim).filter(|class| !class.is_empty()) {
            match class.rsplit(['.', '$']).next().unwrap_or(class) {
                "AnonymousAWSCredentialsProvider" | "AnonymousCredentialsProvider" => anonymous = true,
                "SimpleAWSCredentialsProvider" | "TemporaryAWSCredentialsProvider" | "BasicAWSCredentialsProvider" => {
                    explicit = true;
                }
                "EnvironmentVariableCredentialsProvider"
                | "InstanceProfileCredentialsProvider"
                | "IAMInstanceCredentialsProvider"
                | "ContainerCredentialsProvider"
                | "EC2ContainerCredentialsProviderWrapper"
                | "WebIdentityTokenCredentialsProvider"
                | "WebIdentityTokenFileCredentialsProvider"
                | "DefaultAWSCredentialsProviderChain"
                | "DefaultCredentialsProvider" => ambient = true,
                _ => {
                    return Err(ConnectorError::option(
                        "fs.s3a.aws.credentials.provider",
                        format!("unsupported provider {class}"),
                    ));
                }
            }
        }
        Ok(Self {
            anonymous: anonymous && !explicit && !ambient,
            explicit_keys: explicit,
            only_explicit_keys: explicit && !ambient && !anonymous,
        })
    }
}

fn from_env(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for (key, value) in env.iter().filter(|(_, value)| !value.is_empty()) {
        let name = key.to_ascii_lowercase();
        match name.as_str() {
            "aws_endpoint_url" | "aws_endpoint" | "aws_endpoint_url_s3" => {}
            "aws_s3_force_path_style" => {
                let virtual_hosted = !matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes");
                settings.insert("aws_virtual_hosted_style_request".to_owned(), virtual_hosted.to_string());
            }
            "aws_default_region" => {
                settings.entry("aws_region".to_owned()).or_insert_with(|| value.clone());
            }
            // The bucket comes from the URL.
            "aws_bucket" | "aws_bucket_name" => {}
            _ if name.parse::<AmazonS3ConfigKey>().is_ok() => {
                settings.insert(name, value.clone());
            }
            _ => {}
        }
    }
    for key in ["AWS_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        if let Some(endpoint) = env.get(key).filter(|endpoint| !endpoint.is_empty()) {
            set_endpoint(&mut settings, endpoint, true);
        }
    }
    settings
}

fn set_endpoint(settings: &mut BTreeMap<String, String>, endpoint: &str, ssl: bool) {
    let endpoint = endpoint.trim_end_matches('/');
    let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
    if let Some(rest) = host.strip_prefix("s3.").and_then(|rest| rest.strip_suffix("amazonaws.com")) {
        // Amazon's own endpoints follow from the region.
        settings.remove("aws_endpoint");
        let region = rest.trim_end_matches('.');
        if !region.is_empty() {
            settings.entry("aws_region".to_owned()).or_insert_with(|| region.to_owned());
        }
        return;
    }
    let url = match (endpoint.contains("://"), ssl) {
        (true, _) => endpoint.to_owned(),
        (false, true) => format!("https://{endpoint}"),
        (false, false) => format!("http://{endpoint}"),
    };
    settings.insert("aws_endpoint".to_owned(), url);
}

/// object_store wants the bucket inside a custom endpoint when requests are virtual-hosted.
fn virtual_host(settings: &mut BTreeMap<String, String>, bucket: &str) {
    let wanted = settings.get("aws_virtual_hosted_style_request").is_some_and(|value| value == "true");
    if let Some(endpoint) = settings.get_mut("aws_endpoint").filter(|_| wanted)
        && let Some((scheme, host)) = endpoint.split_once("://")
        && !host.starts_with(&format!("{bucket}."))
    {
        *endpoint = format!("{scheme}://{bucket}.{host}");
    }
}

fn reject_unsupported<'a>(hadoop: &impl Fn(&str) -> Option<&'a str>) -> Result<()> {
    for name in ["assumed.role.arn", "signing-algorithm", "proxy.host"] {
        if hadoop(name).is_some() {
            return Err(ConnectorError::Unsupported { feature: format!("fs.s3a.{name}") });
        }
    }
    Ok(())
}

fn boolean(name: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConnectorError::option(&format!("fs.s3a.{name}"), "expected true or false")),
    }
}
