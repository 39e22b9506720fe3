//! Kubernetes messages: the credential plugin's question and answer, the kubeconfig, our list of clusters.

use std::fmt;

use serde::{Deserialize, Serialize};

/// API version of the credential plugin protocol that we prefer.
pub const EXEC_V1: &str = "client.authentication.k8s.io/v1";
/// The older one, still spoken by old clients.
pub const EXEC_V1BETA1: &str = "client.authentication.k8s.io/v1beta1";
/// `kind` of both question and answer.
pub const EXEC_KIND: &str = "ExecCredential";
/// Name of the cluster extension whose content becomes `spec.cluster.config`.
pub const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Question in `KUBERNETES_EXEC_INFO`, and answer on stdout.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecCredential {
    /// [`EXEC_V1`] or [`EXEC_V1BETA1`]; the answer repeats the question's.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// [`EXEC_KIND`].
    pub kind: String,
    /// The question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<ExecSpec>,
    /// The answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ExecStatus>,
}

/// What the client tells its plugin.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExecSpec {
    /// Whether a person is at the terminal and stdin is ours.
    #[serde(default)]
    pub interactive: bool,
    /// Only with `provideClusterInfo: true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ExecCluster>,
}

/// The cluster that the credential is for. Members that we do not use are ignored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ExecCluster {
    /// The API server.
    #[serde(default)]
    pub server: String,
    /// Our settings for this cluster, out of the kubeconfig.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<ClusterSettings>,
}

/// Content of the cluster extension [`EXEC_EXTENSION`]: which gateway gives tokens for this cluster.
/// No secret stands here, so a kubeconfig can be handed around.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSettings {
    /// The gateway's issuer address.
    #[serde(alias = "issuer")]
    pub gateway: String,
    /// Audience of the cluster's tokens.
    pub audience: String,
    /// Client id of `fedctl` at the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Absolute path of a PEM file with the gateway's CA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// What the plugin answers.
#[derive(Clone, Serialize, Deserialize)]
pub struct ExecStatus {
    /// Bearer token for the API server.
    pub token: String,
    /// RFC 3339; the client asks again after it.
    #[serde(
        rename = "expirationTimestamp",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub expiration_timestamp: Option<String>,
}

impl fmt::Debug for ExecStatus {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("ExecStatus")
            .field("expiration_timestamp", &self.expiration_timestamp)
            .finish_non_exhaustive()
    }
}

/// Answer of `GET {issuer}/api/v1/clusters`, asked with the session's access token: the clusters that
/// this person may sign in to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clusters {
    /// Sorted by id.
    pub clusters: Vec<Cluster>,
}

/// One cluster as the gateway knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// The target's id.
    pub id: String,
    /// Readable name.
    pub name: String,
    /// Audience of its tokens.
    pub audience: String,
    /// The API server, https.
    pub server: String,
    /// Base64 of the PEM of the API server's CA; absent where public roots vouch for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_authority_data: Option<String>,
}

/// A kubeconfig file as we write it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kubeconfig {
    /// `v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Config`.
    pub kind: String,
    /// Name of the context that is used without `--context`.
    #[serde(rename = "current-context", default, skip_serializing_if = "Option::is_none")]
    pub current_context: Option<String>,
    /// Where.
    pub clusters: Vec<NamedCluster>,
    /// Who at where.
    pub contexts: Vec<NamedContext>,
    /// Who.
    pub users: Vec<NamedUser>,
}

/// An entry of `clusters`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedCluster {
    /// Referred to by contexts.
    pub name: String,
    /// The cluster.
    pub cluster: ClusterEntry,
}

/// How to reach a cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterEntry {
    /// The API server. Over http kubectl would not even run the plugin.
    pub server: String,
    /// Base64 of PEM.
    #[serde(
        rename = "certificate-authority-data",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub certificate_authority_data: Option<String>,
    /// Ours is [`EXEC_EXTENSION`].
    #[serde(default)]
    pub extensions: Vec<NamedExtension>,
}

/// An entry of a cluster's `extensions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedExtension {
    /// [`EXEC_EXTENSION`].
    pub name: String,
    /// Handed to the plugin as `spec.cluster.config`.
    pub extension: ClusterSettings,
}

/// An entry of `contexts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedContext {
    /// For `kubectl --context`.
    pub name: String,
    /// The pair.
    pub context: ContextEntry,
}

/// Which user at which cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ContextEntry {
    /// Name of a cluster entry.
    pub cluster: String,
    /// Name of a user entry.
    pub user: String,
}

/// An entry of `users`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NamedUser {
    /// Referred to by contexts.
    pub name: String,
    /// The user.
    pub user: UserEntry,
}

/// A user without a secret: kubectl asks the plugin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserEntry {
    /// The plugin.
    pub exec: ExecEntry,
}

/// How to run the plugin.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecEntry {
    /// [`EXEC_V1`].
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// Looked up in `PATH`.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// `IfAvailable`: v1 demands that it is said.
    #[serde(rename = "interactiveMode")]
    pub interactive_mode: String,
    /// Must be true, or the plugin learns no gateway and no audience.
    #[serde(rename = "provideClusterInfo")]
    pub provide_cluster_info: bool,
    /// Shown by kubectl where the command is not found.
    #[serde(rename = "installHint", default, skip_serializing_if = "Option::is_none")]
    pub install_hint: Option<String>,
}

/// What a cluster asks at `/kubernetes/{cluster}/authorize` (authorization.k8s.io).
#[derive(Debug, Clone, Deserialize)]
pub struct SubjectAccessReview {
    /// `authorization.k8s.io/v1` or `v1beta1`; the answer repeats it, or the API server cannot read it.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `SubjectAccessReview`.
    pub kind: String,
    /// Who wants to do what.
    pub spec: serde_json::Value,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewedAccess<'a> {
    /// As asked.
    #[serde(rename = "apiVersion")]
    pub api_version: &'a str,
    /// `SubjectAccessReview`.
    pub kind: &'a str,
    /// What was decided.
    pub status: ReviewStatus,
}

/// Neither allowed nor denied is no opinion: the cluster's next authorizer is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewStatus {
    /// Allowed.
    pub allowed: bool,
    /// Denied, whatever others say. Never together with `allowed`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub denied: bool,
    /// Shown by kubectl and in the cluster's audit log.
    pub reason: String,
}
