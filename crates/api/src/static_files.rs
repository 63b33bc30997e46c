//! The built wallet, from memory, under a strict content security policy.
//!
//! All files are read once at the start, so no path of a request ever reaches the disk. An address without a file and without an extension is
//! one of the wallet's own screens and gets its page; everything under `/api` that no operation answers is not found.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use tower::Layer as _;
use tower::util::BoxCloneSyncService;
use tower_http::compression::CompressionLayer;

use crate::{Problem, SetupError};

/// Scripts, styles and pictures from here only, nothing inline, no frames, and no text taken for a script.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
     font-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
);
/// Largest file that is served: the wallet's largest is a tenth of it.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// Most files and deepest folder of a built wallet.
const FILES_MAX: usize = 2_000;
const DEPTH_MAX: usize = 8;
const INDEX: &str = "/index.html";

struct File {
    bytes: Bytes,
    kind: &'static str,
    tag: HeaderValue,
}

/// The files by their addresses.
#[derive(Default)]
pub(crate) struct Files(BTreeMap<String, File>);

impl Files {
    /// Reads a folder.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, SetupError> {
        let mut files = Self::default();
        if let Some(folder) = folder {
            files.read(folder, "", 0)?;
        }
        Ok(files)
    }

    fn read(&mut self, folder: &Path, address: &str, depth: usize) -> Result<(), SetupError> {
        let fault = |source| SetupError::File { path: folder.display().to_string(), source };
        let limit = |what: &str| fault(std::io::Error::other(format!("{what}; this is no built wallet")));
        if depth > DEPTH_MAX {
            return Err(limit("folders too deep"));
        }
        for entry in fs::read_dir(folder).map_err(fault)? {
            let entry = entry.map_err(fault)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let address = format!("{address}/{name}");
            let about = entry.metadata().map_err(fault)?;
            if about.is_dir() {
                self.read(&entry.path(), &address, depth.saturating_add(1))?;
            } else if about.is_file() {
                if about.len() > FILE_BYTES_MAX || self.0.len() >= FILES_MAX {
                    return Err(limit("too large or too many files"));
                }
                let bytes = fs::read(entry.path()).map_err(fault)?;
                let digest =
                    hex::encode(Sha256::digest(&bytes).iter().take(16).copied().collect::<Vec<u8>>());
                let tag = HeaderValue::from_str(&format!("\"{digest}\"")).map_err(|_| limit("no tag"))?;
                self.0.insert(address.clone(), File { bytes: bytes.into(), kind: kind(&address), tag });
            }
        }
        Ok(())
    }

    /// The file at an address, or the page of the wallet's own screens.
    fn find(&self, path: &str) -> Option<(&str, &File)> {
        let found = self.0.get_key_value(path);
        let is_screen = !path.rsplit('/').next().unwrap_or("").contains('.');
        let found = found.or_else(|| is_screen.then(|| self.0.get_key_value(INDEX)).flatten());
        found.map(|(address, file)| (address.as_str(), file))
    }
}

fn kind(address: &str) -> &'static str {
    match address.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webp") => "image/webp",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A built application in a folder, such as the console, under the same policy as the wallet.
///
/// # Errors
/// The folder cannot be read, or is no built application.
pub fn folder(folder: &Path) -> Result<axum::Router, SetupError> {
    let files = Arc::new(Files::load(Some(folder))?);
    Ok(axum::Router::new().fallback_service(service(files)))
}

/// Serves the files, compressed: they hold nothing secret.
pub(crate) fn service(files: Arc<Files>) -> BoxCloneSyncService<Request, Response, Infallible> {
    let files = tower::service_fn(move |request: Request| {
        let response = answer(&files, &request);
        async move { Ok::<_, Infallible>(response) }
    });
    let compressed = CompressionLayer::new().layer(files);
    let service = tower::ServiceExt::map_response(compressed, |response: axum::http::Response<_>| {
        response.map(Body::new)
    });
    BoxCloneSyncService::new(service)
}

fn answer(files: &Files, request: &Request) -> Response {
    let path = request.uri().path();
    let is_api = path == "/api" || path.starts_with("/api/");
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let found = if is_api || !is_read { None } else { files.find(path) };
    let Some((address, file)) = found else {
        return Problem::missing("not_found", "There is nothing at this address.").into_response();
    };
    // A file whose name holds its hash never changes; all others are asked for again each time.
    let caching =
        if address.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let is_known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|tag| *tag == file.tag);
    let is_head = *request.method() == Method::HEAD;
    let body = if is_known || is_head { Body::empty() } else { Body::from(file.bytes.clone()) };
    let mut response = Response::new(body);
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(header::ETAG, file.tag.clone());
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_get_the_page_and_missing_files_do_not() {
        let file = || File { bytes: Bytes::new(), kind: "text/html", tag: HeaderValue::from_static("\"0\"") };
        let files =
            Files([INDEX, "/assets/a.js"].map(|path| (path.to_owned(), file())).into_iter().collect());
        let check = |path: &str, expect: Option<&str>| {
            assert_eq!(files.find(path).map(|(at, _)| at), expect, "{path}")
        };
        check("/", Some(INDEX));
        check("/payments/pay_01", Some(INDEX));
        check("/assets/a.js", Some("/assets/a.js"));
        check("/assets/b.js", None);
        check("/../etc/passwd.txt", None);
    }
}
