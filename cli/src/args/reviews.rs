//! Whose tokens the API server of Kubernetes vouches for.

use std::path::PathBuf;

use clap::Args;

/// Callers that Kubernetes knows.
#[derive(Debug, Clone, Args)]
pub(crate) struct Reviews {
    /// Let in, beside who has one of --tokens, who has a token that the API server of this pod's Kubernetes accepts and one of
    /// the verbs view, query and admin on this FiresteelCluster. The pod's ServiceAccount needs the ClusterRole
    /// system:auth-delegator.
    #[arg(long, env = "FIRESTEEL_TOKEN_REVIEWS", value_name = "NAMESPACE/NAME", requires = "tokens", value_parser = cluster)]
    pub(crate) token_reviews: Option<Cluster>,
    /// Audiences one of which those tokens must be for [default: the API server's own].
    #[arg(
        long,
        env = "FIRESTEEL_TOKEN_REVIEW_AUDIENCES",
        value_name = "AUDIENCE,...",
        value_delimiter = ',',
        requires = "token_reviews"
    )]
    pub(crate) token_review_audiences: Vec<String>,
    /// Folder with the pod's own token and the API server's ca.crt.
    #[arg(
        long,
        env = "FIRESTEEL_TOKEN_REVIEW_FOLDER",
        value_name = "DIR",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount"
    )]
    pub(crate) token_review_folder: PathBuf,
}

/// A FiresteelCluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

fn cluster(text: &str) -> Result<Cluster, String> {
    let usable = |word: &str| !word.is_empty() && !word.contains('/');
    match text.split_once('/') {
        Some((namespace, name)) if usable(namespace) && usable(name) => {
            Ok(Cluster { namespace: namespace.to_owned(), name: name.to_owned() })
        }
        _ => Err("expected NAMESPACE/NAME of a FiresteelCluster".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_a_namespace_and_a_name() {
        assert_eq!(cluster("n/c"), Ok(Cluster { namespace: "n".into(), name: "c".into() }));
        for bad in ["", "c", "/c", "n/", "n/c/d"] {
            assert!(cluster(bad).is_err(), "{bad}");
        }
    }
}
