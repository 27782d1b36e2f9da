//! The HTTP client as guests see it: which status each failure has and what its text says.

use bytes::Bytes;

use crate::error::CallError;
use crate::http_client::{HttpClient, HttpFailure, HttpRequest, HttpResponse};
use crate::payload::base64;
use crate::payload::http::{self, Call, Form};

/// An answer that is not 200, with what there is of the server's.
struct Refusal {
    code: u16,
    text: String,
    partial: Option<Box<HttpResponse>>,
}

impl Refusal {
    fn new(code: u16, text: impl Into<String>) -> Refusal {
        Refusal { code, text: text.into(), partial: None }
    }
}

impl From<HttpFailure> for Refusal {
    fn from(failure: HttpFailure) -> Refusal {
        match failure {
            HttpFailure::Create(reason) => {
                Refusal::new(400, format!("Unable to create HTTP request - {reason}"))
            }
            HttpFailure::Execute(reason) => {
                Refusal::new(500, format!("Unable to execute HTTP request - {reason}"))
            }
            HttpFailure::Body { partial, reason } => {
                let text = format!("Unexpected error reading HTTP response body - {reason}");
                Refusal { code: 500, text, partial: Some(partial) }
            }
        }
    }
}

pub(super) async fn call(
    http: &HttpClient,
    payload: &[u8],
    response: &mut Vec<u8>,
) -> Result<(), CallError> {
    let call = Call::decode(payload);
    let form = call.form;
    match make(http, call).await {
        Ok(answer) => {
            http::answered(response, form, &answer);
            Ok(())
        }
        Err(Refusal { code, text, partial }) => {
            http::refused(response, form, code, &text, partial.as_deref());
            Err(CallError::Status { code, text: text.into() })
        }
    }
}

async fn make(http: &HttpClient, call: Call<'_>) -> Result<HttpResponse, Refusal> {
    let body = body(&call)?;
    // Said after what is wrong with the body, if both are.
    call.decoded.map_err(|_| Refusal::new(400, "Error Parsing Input"))?;
    let Call { method, url, headers, insecure, .. } = call;
    Ok(http.call(&HttpRequest { method, url, headers, body, insecure }).await?)
}

fn body(call: &Call<'_>) -> Result<Bytes, Refusal> {
    match call.form {
        Form::Json => base64::decode(&call.body)
            .map(Bytes::from)
            .map_err(|error| Refusal::new(400, format!("Unable to decode data - {error}"))),
        Form::Texts | Form::Headers => Ok(Bytes::copy_from_slice(&call.body)),
    }
}
