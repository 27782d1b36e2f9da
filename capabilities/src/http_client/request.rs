//! What a guest asks for, and the request that one hop of it becomes: headers as Go's client sends
//! them, the credentials of the URL, what a redirect takes away.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};

use super::connect::Body;
use super::redirect::DeadEnd;
use super::target::Target;
use super::url::{Url, quoted};

/// A call as the guest makes it.
#[derive(Debug)]
pub(crate) struct HttpRequest<'a> {
    /// Empty means GET.
    pub(crate) method: Cow<'a, str>,
    pub(crate) url: Cow<'a, str>,
    pub(crate) headers: Vec<AskedHeader<'a>>,
    pub(crate) body: Bytes,
    /// Take any certificate.
    pub(crate) insecure: bool,
}

/// One value of one header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskedHeader<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) value: Cow<'a, str>,
    /// A further value of the header before it, not one that takes its place.
    pub(crate) is_further: bool,
}

/// One request of the chain that redirects make of a call.
#[derive(Debug)]
pub(super) struct Hop {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) target: Target,
    /// Bodies and the headers that describe them go when a redirect turns POST into GET.
    pub(super) has_body: bool,
    /// Credentials stay with the host that they were meant for and its subdomains.
    pub(super) has_credentials: bool,
    pub(super) referer: Option<String>,
    /// The host that the call began with, once it has been redirected.
    pub(super) origin: Option<String>,
}

impl HttpRequest<'_> {
    /// # Errors
    /// The header's name or value cannot be sent; Go's words.
    fn headers(&self, hop: &Hop) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::with_capacity(self.headers.len() + 4);
        for asked in &self.headers {
            let name = HeaderName::from_bytes(asked.name.as_bytes()).map_err(|_| {
                format!("net/http: invalid header field name {}", quoted(&asked.name))
            })?;
            // The value may be secret, so it is not shown.
            let value = HeaderValue::from_str(asked.value.trim()).map_err(|_| {
                format!("net/http: invalid header field value for {}", quoted(&asked.name))
            })?;
            if !hop.keeps(&name) {
                continue;
            }
            let stored = match asked.is_further {
                true => headers.try_append(name, value).map(|_| ()),
                false => headers.try_insert(name, value).map(|_| ()),
            };
            stored.map_err(|_| String::from("net/http: too many header fields"))?;
        }
        Ok(headers)
    }

    /// The request as HTTP/1.1 sends it.
    pub(super) fn build(&self, hop: &Hop, agent: &HeaderValue) -> Result<Request<Body>, String> {
        let mut headers = self.headers(hop)?;
        let authority = HeaderValue::from_str(&hop.target.authority);
        headers.insert(header::HOST, authority.map_err(|_| String::from("http: invalid host"))?);
        set_agent(&mut headers, agent);
        if let Some(user) = &hop.url.user
            && headers.get(header::AUTHORIZATION).is_none_or(HeaderValue::is_empty)
        {
            let pair = [&user.name, &b":"[..], &user.password].concat();
            let value = format!("Basic {}", STANDARD.encode(pair));
            let mut value = HeaderValue::from_str(&value).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, value);
        }
        if let Some(referer) = &hop.referer
            && let Ok(value) = HeaderValue::from_str(referer)
        {
            headers.insert(header::REFERER, value);
        }
        let body = if hop.has_body { self.body.clone() } else { Bytes::new() };
        if body.is_empty() && matches!(hop.method, Method::POST | Method::PUT | Method::PATCH) {
            // Servers expect a length of these methods.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = hop.method.clone();
        *request.uri_mut() = hop.uri(false)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Whether the guest leaves it to us how the answer's body is encoded.
    pub(super) fn takes_any_encoding(&self) -> bool {
        let asks = |name: &str| self.headers.iter().any(|h| h.name.eq_ignore_ascii_case(name));
        !asks("accept-encoding") && !asks("range")
    }
}

/// The first value that the guest gave, none at all if that is empty, our own if it gave none.
fn set_agent(headers: &mut HeaderMap, agent: &HeaderValue) {
    match headers.get(header::USER_AGENT) {
        Some(asked) if asked.is_empty() => drop(headers.remove(header::USER_AGENT)),
        Some(asked) => {
            let first = asked.clone();
            headers.insert(header::USER_AGENT, first);
        }
        None => drop(headers.insert(header::USER_AGENT, agent.clone())),
    }
}

impl Hop {
    /// A request with everything that the guest gave.
    ///
    /// # Errors
    /// The URL leads nowhere that can be asked.
    pub(super) fn first(method: Method, url: Url) -> Result<Hop, Box<DeadEnd>> {
        let target = match method {
            Method::CONNECT => Err(String::from("the method CONNECT is not supported")),
            _ => Target::of(&url),
        };
        let target = match target {
            Ok(target) => target,
            Err(reason) => return Err(Box::new(DeadEnd { url, reason })),
        };
        Ok(Hop {
            method,
            url,
            target,
            has_body: true,
            has_credentials: true,
            referer: None,
            origin: None,
        })
    }

    /// The request target: relative, or with scheme and host as HTTP/2 wants it.
    fn uri(&self, is_absolute: bool) -> Result<Uri, String> {
        let target = self.url.request_target();
        let text = match is_absolute {
            true => format!("{}://{}{target}", self.url.scheme, self.target.authority),
            false => target,
        };
        Uri::try_from(text).map_err(|error| format!("net/url: {error}"))
    }

    /// Turns what [`HttpRequest::build`] made into what HTTP/2 sends.
    pub(super) fn for_http2(&self, request: &mut Request<Body>) -> Result<(), String> {
        *request.uri_mut() = self.uri(true)?;
        request.headers_mut().remove(header::HOST);
        Ok(())
    }

    /// Whether the guest's header goes with this request. The length and the host are ours to say.
    fn keeps(&self, name: &HeaderName) -> bool {
        match *name {
            header::HOST | header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::TRAILER => {
                false
            }
            header::AUTHORIZATION
            | header::WWW_AUTHENTICATE
            | header::COOKIE
            | header::PROXY_AUTHORIZATION
            | header::PROXY_AUTHENTICATE => self.has_credentials,
            header::CONTENT_ENCODING
            | header::CONTENT_LANGUAGE
            | header::CONTENT_LOCATION
            | header::CONTENT_TYPE => self.has_body,
            ref other => self.has_credentials || other != "cookie2",
        }
    }

    /// Whether sending the request a second time does no harm, by its method or because the guest
    /// says so.
    pub(super) fn is_replayable(&self, request: &HttpRequest<'_>) -> bool {
        let says_so = |header: &AskedHeader<'_>| {
            let names = ["idempotency-key", "x-idempotency-key"];
            names.iter().any(|name| header.name.eq_ignore_ascii_case(name))
        };
        matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
            || request.headers.iter().any(says_so)
    }
}
