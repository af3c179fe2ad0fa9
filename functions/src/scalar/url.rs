//! `parse_url` and `try_parse_url`: parts of a URL as they are written, nothing normalised.
//!
//! Source: RFC 2396 with the deviations that Java's documentation of `java.net.URI` lists: characters outside ASCII are
//! allowed, an authority that names no server has no host.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::Result;

use super::coerce::Arg;
use super::read::{fail, strs};
use super::regexp::{Patterns, failed};
use super::spec::{Call, Nulls, Ret, SparkFn, f};
use crate::error::ErrorKind;

/// Parts of a URL.
#[derive(Debug, Default, PartialEq, Eq)]
struct Url<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    user: Option<&'a str>,
    host: Option<&'a str>,
    /// `None` where the scheme's own rules say what follows it.
    path: Option<&'a str>,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

/// Whether every character may stand in a part that allows these signs besides letters, digits and escapes.
fn allowed(text: &str, signs: &str) -> bool {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let fine = match c {
            '%' => {
                let mut digit = || rest.next().is_some_and(|c| c.is_ascii_hexdigit());
                digit() && digit()
            }
            c if c.is_ascii() => c.is_ascii_alphanumeric() || "-_.!~*'()".contains(c) || signs.contains(c),
            c => !c.is_control() && !c.is_whitespace(),
        };
        if !fine {
            return false;
        }
    }
    true
}

/// Whether a host is one of a server.
fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let address = inner.split_once('%').map_or(inner, |(address, _)| address);
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    if host.parse::<std::net::Ipv4Addr>().is_ok() {
        return true;
    }
    let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let last = labels.clone().next_back();
    labels.all(label) && last.is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()))
}

impl<'a> Url<'a> {
    /// `None` for what is no URL.
    fn parse(text: &'a str) -> Option<Self> {
        const PUNCTUATION: &str = ",;:$&+=@";
        let mut out = Self::default();
        let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, fragment)| (rest, Some(fragment)));
        if let Some(fragment) = fragment {
            out.fragment = allowed(fragment, ",;:$&+=@/?[]").then_some(fragment)?.into();
        }
        let mut rest = rest;
        if let Some(at) =
            rest.find([':', '/', '?']).filter(|at| rest.get(*at..).is_some_and(|rest| rest.starts_with(':')))
        {
            let (scheme, after) = rest.split_at(at);
            let named = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
            let after = after.get(1..).filter(|after| named && !after.is_empty())?;
            out.scheme = Some(scheme);
            if !after.starts_with('/') {
                return allowed(after, ",;:$&+=@/?[]").then_some(out);
            }
            rest = after;
        }
        if let Some(after) = rest.strip_prefix("//") {
            let end = after.find(['/', '?']).unwrap_or(after.len());
            let (authority, left) = after.split_at(end);
            if authority.is_empty() && left.is_empty() {
                return None;
            }
            if !authority.is_empty() {
                out.authority = allowed(authority, ",;:$&+=@[]").then_some(authority)?.into();
                out.server(authority);
            }
            rest = left;
        }
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        out.path = allowed(path, &format!("{PUNCTUATION}/")).then_some(path)?.into();
        if let Some(query) = query {
            out.query = allowed(query, ",;:$&+=@/?[]").then_some(query)?.into();
        }
        Some(out)
    }
    /// Takes an authority apart where it is a server's.
    fn server(&mut self, authority: &'a str) {
        let (user, place) = authority.rsplit_once('@').map_or((None, authority), |(user, place)| (Some(user), place));
        let port = place.rfind(':').filter(|at| !place.get(*at..).is_some_and(|rest| rest.contains(']')));
        let (host, port) = port.map_or((place, ""), |at| place.split_at(at));
        if is_host(host) && port.chars().skip(1).all(|c| c.is_ascii_digit()) {
            self.host = Some(host);
            self.user = user;
        }
    }
    fn part(&self, name: &str) -> Option<String> {
        let found = match name {
            "HOST" => self.host,
            "PATH" => self.path,
            "QUERY" => self.query,
            "REF" => self.fragment,
            "PROTOCOL" => self.scheme,
            "AUTHORITY" => self.authority,
            "USERINFO" => self.user,
            "FILE" => {
                return Some(match (self.path?, self.query) {
                    (path, Some(query)) => format!("{path}?{query}"),
                    (path, None) => path.to_string(),
                });
            }
            _ => None,
        };
        found.map(str::to_string)
    }
}

/// `parse_url(url, part[, key])` and `try_parse_url`: a key takes its value out of the query.
///
/// # Errors
/// `INVALID_URL`, from `parse_url` in ANSI mode.
fn parse(call: &Call<'_>, args: &[ArrayRef]) -> Result<ArrayRef> {
    let (urls, parts) = (strs(args, 0)?, strs(args, 1)?);
    let keys = args.get(2).map(|_| strs(args, 2)).transpose()?;
    let mut patterns = Patterns::new(call.name);
    let mut one = |row: usize| -> Result<Option<String>> {
        let known = keys.is_none_or(|keys| keys.is_valid(row));
        if urls.is_null(row) || parts.is_null(row) || !known {
            return Ok(None);
        }
        let text = urls.value(row);
        let Some(url) = Url::parse(text) else {
            return match call.options.ansi && call.name == "parse_url" {
                true => Err(fail(ErrorKind::IllegalArgument, "INVALID_URL", &[("url", text)])),
                false => Ok(None),
            };
        };
        let found = url.part(parts.value(row));
        let Some(keys) = keys else { return Ok(found) };
        let Some(query) = found.filter(|_| parts.value(row) == "QUERY") else { return Ok(None) };
        let pattern = patterns.get(&format!("(&|^){}=([^&]*)", keys.value(row)))?;
        let found = pattern.find_at(&query, 0).map_err(failed)?;
        Ok(found.and_then(|found| found.text(&query, 2).map(str::to_string)))
    };
    Ok(Arc::new((0..urls.len()).map(&mut one).collect::<Result<StringArray>>()?))
}

/// The functions of this file.
pub(crate) fn all() -> Vec<SparkFn> {
    const ARGS: &[Arg] = &[Arg::Text, Arg::Text, Arg::Text];
    let made = |name| f(name, ARGS, Ret::Is(DataType::Utf8), parse).min(2).nulls(Nulls::Always);
    vec![made("parse_url"), made("try_parse_url")]
}

#[cfg(test)]
mod tests {
    use super::Url;

    fn part(url: &str, name: &str) -> Option<String> {
        Url::parse(url)?.part(name)
    }

    #[test]
    fn parts_are_given_as_written() {
        assert_eq!(part("HTTP://H.com/A", "HOST").as_deref(), Some("H.com"));
        assert_eq!(part("http://u:p@h.com:80/p/a?q=1#f", "AUTHORITY").as_deref(), Some("u:p@h.com:80"));
        assert_eq!(part("http://h.com/a/../b?q", "FILE").as_deref(), Some("/a/../b?q"));
        assert_eq!(part("http://h.com", "PATH").as_deref(), Some(""));
        assert_eq!(part("mailto:a@b.c", "PATH"), None);
        assert_eq!(part("http://a_b.com/x", "HOST"), None);
        assert_eq!(part("http://[::1]:80/x", "HOST").as_deref(), Some("[::1]"));
        assert_eq!(part("http://é.com/ü", "PATH").as_deref(), Some("/ü"));
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in ["http://h.com/a b", "inva lid://x", "http://h.com/%zz", "1a:x", "http:", "a|b"] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }
}
