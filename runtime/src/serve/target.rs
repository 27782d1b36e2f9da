//! What a request's head asks for, and what answers it: a guest's result or one of our own few pages.

use crate::admin::{AdminBody, AdminResponse, PageRequest};
use crate::guest::InvokeError;
use crate::http::{self, Head, Method, Status};
use crate::router::Lookup;
use crate::shard::Shard;
use crate::telemetry::Outcome;
use std::borrow::Cow;
use std::net::IpAddr;

/// The type of every text we write ourselves.
const TEXT: &str = "text/plain; charset=utf-8";
/// Seconds after which a client that was shed may try again.
const RETRY_AFTER: (&str, &str) = ("Retry-After", "1");

/// Owned, because the buffer that the head lies in changes while the body is read.
pub(super) struct Target {
    pub(super) lookup: Lookup,
    /// The query of an admin page or of a redirect; empty for routes, whose guests do not see it.
    query: Option<String>,
    /// What an admin page's client accepts.
    accept: String,
    is_post: bool,
}

/// A response without its body.
pub(super) struct Reply<'a> {
    pub(super) status: Status,
    pub(super) content_type: Option<&'a str>,
    pub(super) extra: Option<(&'a str, &'a str)>,
}

impl Target {
    /// Looks the head of a request up. `input` is the buffer it was parsed from.
    pub(super) fn find(shard: &Shard, head: &Head, input: &[u8]) -> Target {
        let name = head.method_name.of(input);
        let lookup = shard.router.lookup(head.method, name, head.path.of(input));
        let query = match lookup {
            Lookup::Admin(_) | Lookup::Redirect { .. } => {
                head.query.map(|query| String::from_utf8_lossy(query.of(input)).into_owned())
            }
            _ => None,
        };
        let accept = match lookup {
            Lookup::Admin(_) => http::accept_field(&input[..head.len]),
            _ => String::new(),
        };
        Target { lookup, query, accept, is_post: head.method == Method::Post }
    }
}

impl<'a> Reply<'a> {
    pub(super) fn text(status: Status) -> Reply<'a> {
        Reply { status, content_type: Some(TEXT), extra: None }
    }

    /// What the client gets for an invocation, and how it counts. On an error the text becomes the body.
    pub(super) fn to_invocation(
        result: Result<(), InvokeError>,
        body: &mut Vec<u8>,
    ) -> (Reply<'a>, Outcome) {
        let Err(error) = result else {
            let content_type = http::sniff_content_type(body);
            return (Reply { status: Status::OK, content_type, extra: None }, Outcome::Answered);
        };
        // The same words as Tarmac's, so that clients which look for them find them.
        *body = format!("failed to execute wasm module - {error}").into_bytes();
        let outcome = error.outcome();
        let status = status_of(outcome);
        let mut reply = Reply::text(status);
        reply.extra = (status == Status::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER);
        (reply, outcome)
    }
}

fn status_of(failure: Outcome) -> Status {
    match failure {
        Outcome::Shed | Outcome::NoInstance => Status::SERVICE_UNAVAILABLE,
        Outcome::Timeout => Status::GATEWAY_TIMEOUT,
        _ => Status::INTERNAL_SERVER_ERROR,
    }
}

/// The body of a page of our own, with its reply.
pub(super) struct Page {
    pub(super) status: Status,
    pub(super) content_type: Option<&'static str>,
    pub(super) extra: Option<(&'static str, String)>,
    pub(super) body: AdminBody,
    pub(super) is_admin: bool,
}

impl Page {
    fn text(status: Status, body: &'static str) -> Page {
        let body = AdminBody::Whole(Cow::Borrowed(body.as_bytes()));
        Page { status, content_type: Some(TEXT), extra: None, body, is_admin: false }
    }

    /// Answers everything that is not a route. Only the admin pages wait, for the control thread.
    pub(super) async fn of(target: Target, shard: &Shard, peer: IpAddr) -> Page {
        match target.lookup {
            Lookup::Admin(page) => {
                let request = PageRequest {
                    page,
                    query: target.query.unwrap_or_default(),
                    accept: target.accept,
                    is_post: target.is_post,
                    peer,
                };
                let answer = shard.admin.page(request).await;
                answer.map_or_else(Page::busy, Page::admin)
            }
            Lookup::MethodNotAllowed { allow } => Page {
                extra: Some(("Allow", allow)),
                ..Page::text(Status::METHOD_NOT_ALLOWED, "Method Not Allowed\n")
            },
            Lookup::Options { allow } => Page::bare(Status::OK, ("Allow", allow)),
            Lookup::Redirect { mut to, permanent } => {
                if let Some(query) = target.query {
                    to.push('?');
                    to.push_str(&query);
                }
                let status =
                    if permanent { Status::PERMANENT_REDIRECT } else { Status::MOVED_PERMANENTLY };
                Page::bare(status, ("Location", to))
            }
            Lookup::BadPath => Page::text(Status::BAD_REQUEST, "400 bad request path\n"),
            Lookup::NotFound | Lookup::Route(_) => {
                Page::text(Status::NOT_FOUND, "404 page not found\n")
            }
        }
    }

    fn admin(answer: AdminResponse) -> Page {
        Page {
            status: Status::new(answer.status).unwrap_or(Status::INTERNAL_SERVER_ERROR),
            content_type: Some(answer.content_type),
            extra: answer.policy.map(|policy| ("Content-Security-Policy", policy.to_owned())),
            body: answer.body,
            is_admin: true,
        }
    }

    fn busy() -> Page {
        Page {
            extra: Some((RETRY_AFTER.0, RETRY_AFTER.1.to_owned())),
            is_admin: true,
            ..Page::text(Status::SERVICE_UNAVAILABLE, "too many admin pages wait to be answered\n")
        }
    }

    /// A reply without a body.
    fn bare(status: Status, header: (&'static str, String)) -> Page {
        Page { content_type: None, extra: Some(header), ..Page::text(status, "") }
    }
}
