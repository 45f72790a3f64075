//! The documents: OpenAPI of the routes and AsyncAPI of the events, both made from the types that
//! are really used.

mod asyncapi;
mod openapi;

use axum::Router;
use axum::routing::get;
use serde::Serialize;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};
use utoipa_swagger_ui::SwaggerUi;

use crate::error::Code;
use crate::realtime::events::EventTable;

/// A successful answer of the envelope dialect.
#[derive(Serialize, ToSchema)]
pub struct Enveloped<T: ToSchema> {
    /// `true`.
    #[schema(example = true)]
    pub success: bool,
    /// A sentence for people.
    pub message: String,
    /// The answer itself.
    pub data: T,
}

/// A failure in the envelope dialect.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failed {
    /// `false`.
    #[schema(example = false)]
    pub success: bool,
    /// A sentence for people.
    pub message: String,
    /// What went wrong.
    pub error: FailedError,
    /// What to quote when asking for help.
    pub request_id: String,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct FailedError {
    /// The stable word.
    pub code: Code,
    /// A sentence for people.
    pub message: String,
    /// With `validation_failed`: which fields, and what they must be.
    pub details: Option<Vec<crate::error::FieldError>>,
}

/// A failure on `/api/v1`.
#[derive(Serialize, ToSchema)]
pub struct V1Failed {
    /// A sentence for people.
    pub detail: String,
    /// The stable word.
    pub code: Code,
    /// With `validation_failed`: which fields, and what they must be.
    pub details: Option<Vec<crate::error::FieldError>>,
}

/// A failure of seed 000's routes.
#[derive(Serialize, ToSchema)]
pub struct LocationFailed {
    /// A sentence for people.
    pub error: String,
    /// The stable word.
    pub code: Code,
}

/// The frame of the OpenAPI document; the routes are added by the routers.
#[derive(OpenApi)]
#[openapi(
    info(title = "waggle", description = "A realtime server: chat, rooms, presence, orders and drivers. \
        The events of the sockets are in [asyncapi.json](/docs/asyncapi.json)."),
    modifiers(&BearerToken),
    security(("token" = [])),
    tags(
        (name = "accounts", description = "Accounts and login sessions. The same routes answer under `/auth`."),
        (name = "users", description = "The directory of users. The same routes answer under `/auth`."),
        (name = "messages", description = "One-to-one chat."),
        (name = "rooms", description = "Rooms."),
        (name = "orders", description = "Orders, from placing to delivery."),
        (name = "drivers", description = "Where drivers are, and whether they take orders."),
        (name = "driver app", description = "The driver app's routes: bare objects in snake_case."),
        (name = "back office", description = "Orders and drivers for admins, beside the driver app's routes."),
        (name = "driver location", description = "Where one driver is, for a dashboard (see also the WebSocket at `/`)."),
        (name = "admin", description = "Sockets and bans, for admins."),
        (name = "operations", description = "For those who run the server.")
    )
)]
pub struct Frame;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut Document) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// The routes of the documents.
pub fn router(document: Document, tables: &[EventTable]) -> Router {
    let asyncapi = asyncapi::document(tables);
    let swagger: Router =
        SwaggerUi::new("/docs").url("/docs/openapi.json", openapi::complete(document)).into();
    swagger.route("/docs/asyncapi.json", get(async move || axum::Json(asyncapi)))
}
