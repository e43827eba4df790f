//! `GET /openapi.json`

use super::pages::send;
use crate::http::route::{Admitted, Answer};

/// The description of this API for programs. It holds no data, and is for everybody.
pub(super) async fn openapi(request: Box<Admitted>) -> Answer {
    Ok(send((request.app.shared.describe)(), &request.parts.headers))
}
