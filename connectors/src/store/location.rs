//! The user's paths as URLs: relative and absolute paths, `file:`, `s3a://`; globs survive percent-encoded.
//!
//! Touches neither the network nor the file system.

use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::path::Path;
use url::Url;

use crate::error::{ConnectorError, Result};

/// Turns a path as users write it into a URL whose decoded path is the file's real name.
///
/// # Errors
/// `InvalidPath` for an empty or malformed path.
pub fn normalise_path(path: &str) -> Result<Url> {
    let invalid = |reason: &str| ConnectorError::InvalidPath { path: path.to_owned(), reason: reason.to_owned() };
    if path.trim().is_empty() {
        return Err(invalid("empty path"));
    }
    if let Some((scheme, rest)) = split_scheme(path) {
        let scheme = match scheme {
            "s3a" | "s3n" => "s3",
            scheme => scheme,
        };
        if scheme == "file" {
            // `file:/a`, `file:///a` and `file://localhost/a` name the same file.
            let local = match rest.strip_prefix("//") {
                Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
                None => rest,
            };
            return local_url(local).ok_or_else(|| invalid("not an absolute path"));
        }
        let rest = rest.strip_prefix("//").ok_or_else(|| invalid("expected scheme://bucket/key"))?;
        let (authority, key) = rest.split_once('/').unwrap_or((rest, ""));
        let mut url = Url::parse(&format!("{scheme}://{authority}/")).map_err(|error| invalid(&error.to_string()))?;
        // `%` is escaped first: users write names, not URL-encoded text.
        url.set_path(&format!("/{}", key.replace('%', "%25")));
        return Ok(url);
    }
    let absolute = std::path::absolute(path).map_err(|error| invalid(&error.to_string()))?;
    let mut text = absolute.to_string_lossy().into_owned();
    if path.ends_with('/') && !text.ends_with('/') {
        text.push('/');
    }
    local_url(&text).ok_or_else(|| invalid("not an absolute path"))
}

/// The same URL with `s3a` and `s3n` spelled `s3`.
pub fn normalise_url(url: &Url) -> Url {
    match url.scheme() {
        "s3a" | "s3n" => {
            let text = format!("s3{}", &url.as_str()[url.scheme().len()..]);
            Url::parse(&text).unwrap_or_else(|_| url.clone())
        }
        _ => url.clone(),
    }
}

/// The store part of a URL, as DataFusion wants it.
///
/// # Errors
/// `InvalidPath` when the URL has no usable authority.
pub fn store_url(url: &Url) -> Result<ObjectStoreUrl> {
    let url = normalise_url(url);
    ObjectStoreUrl::parse(&url[..url::Position::BeforePath])
        .map_err(|error| ConnectorError::InvalidPath { path: shown(&url), reason: error.to_string() })
}

/// The object key of a URL, percent-decoded.
///
/// # Errors
/// `InvalidPath` for names no store accepts.
pub fn directory_path(url: &Url) -> Result<Path> {
    Path::from_url_path(url.path())
        .map_err(|error| ConnectorError::InvalidPath { path: shown(url), reason: error.to_string() })
}

/// A URL as shown to people: without user information.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    if url.password().is_some() {
        // Fails only for URLs without a host, which carry no password.
        let _ = url.set_password(None);
    }
    url.to_string()
}

fn split_scheme(path: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = path.split_once(':')?;
    let first = scheme.chars().next()?;
    let valid = scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    // A single letter would be a drive; a slash later than the colon makes it a scheme.
    (first.is_ascii_alphabetic() && valid && scheme.len() > 1 && rest.starts_with('/')).then_some((scheme, rest))
}

fn local_url(path: &str) -> Option<Url> {
    if !path.starts_with('/') {
        return None;
    }
    let mut url = Url::parse("file:///").ok()?;
    url.set_path(&path.replace('%', "%25"));
    Some(url)
}
