//! What a server asks of an authenticator, read from the JSON of WebAuthn §5.4 and §5.5.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::SoftwareError;
use crate::public_key::Algorithm;

pub(super) struct CreationOptions {
    pub(super) rp_id: String,
    pub(super) user_handle: Vec<u8>,
    pub(super) challenge: Vec<u8>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) excluded: Vec<Vec<u8>>,
    pub(super) verify_user: bool,
}

pub(super) struct RequestOptions {
    pub(super) rp_id: String,
    pub(super) challenge: Vec<u8>,
    pub(super) allowed: Vec<Vec<u8>>,
    pub(super) verify_user: bool,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

#[derive(Deserialize)]
struct Parameter {
    alg: i64,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Selection {
    user_verification: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreationJson {
    rp: Id,
    user: Id,
    challenge: String,
    pub_key_cred_params: Vec<Parameter>,
    #[serde(default)]
    exclude_credentials: Option<Vec<Id>>,
    #[serde(default)]
    authenticator_selection: Option<Selection>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestJson {
    rp_id: String,
    challenge: String,
    #[serde(default)]
    allow_credentials: Option<Vec<Id>>,
    user_verification: Option<String>,
}

impl CreationOptions {
    pub(super) fn read(json: &serde_json::Value) -> Result<Self, SoftwareError> {
        let json = CreationJson::deserialize(inner(json)).map_err(|_| SoftwareError::Options("creation"))?;
        let selection = json.authenticator_selection.unwrap_or_default();
        Ok(Self {
            rp_id: json.rp.id,
            user_handle: decode("user.id", &json.user.id)?,
            challenge: decode("challenge", &json.challenge)?,
            algorithms: json.pub_key_cred_params.iter().filter_map(|p| Algorithm::from_cose(p.alg)).collect(),
            excluded: ids(json.exclude_credentials)?,
            verify_user: selection.user_verification.as_deref() == Some("required"),
        })
    }
}

impl RequestOptions {
    pub(super) fn read(json: &serde_json::Value) -> Result<Self, SoftwareError> {
        let json = RequestJson::deserialize(inner(json)).map_err(|_| SoftwareError::Options("request"))?;
        Ok(Self {
            rp_id: json.rp_id,
            challenge: decode("challenge", &json.challenge)?,
            allowed: ids(json.allow_credentials)?,
            verify_user: json.user_verification.as_deref() == Some("required"),
        })
    }
}

/// Options come bare, or inside `publicKey` as the browser's call takes them.
fn inner(json: &serde_json::Value) -> &serde_json::Value {
    json.get("publicKey").unwrap_or(json)
}

fn ids(list: Option<Vec<Id>>) -> Result<Vec<Vec<u8>>, SoftwareError> {
    list.unwrap_or_default().iter().map(|id| decode("credential id", &id.id)).collect()
}

fn decode(name: &'static str, text: &str) -> Result<Vec<u8>, SoftwareError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| SoftwareError::Options(name))
}
