//! What every route may answer alike, so that routes name only what is their own.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use crate::rest::Dialect;

/// Adds to each operation the failures that it does not name and may end in: of what it reads, of
/// the token it asks for, of limits, of a store that is away.
pub(super) fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let failed = RefOr::T(failed(Dialect::of(path)));
        let methods =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
        for operation in methods.into_iter().flatten() {
            for status in failures(operation) {
                let responses = &mut operation.responses.responses;
                responses.entry(status.to_owned()).or_insert_with(|| failed.clone());
            }
        }
    }
    document
}

fn failures(operation: &Operation) -> Vec<&'static str> {
    let has_body = operation.request_body.is_some();
    let public = [SecurityRequirement::default()];
    let wants_token = operation.security.as_deref() != Some(&public[..]);
    let conditions = [
        ("400", has_body || operation.parameters.is_some()),
        ("401", wants_token),
        ("413", has_body),
        ("415", has_body),
        ("429", has_body || wants_token),
        ("503", has_body || wants_token),
    ];
    conditions.into_iter().filter(|(_, may)| *may).map(|(status, _)| status).collect()
}

fn failed(dialect: Dialect) -> Response {
    let schema = match dialect {
        Dialect::Envelope => "Failed",
        Dialect::V1 => "V1Failed",
        Dialect::Location => "LocationFailed",
    };
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    ResponseBuilder::new().content("application/json", content).build()
}
