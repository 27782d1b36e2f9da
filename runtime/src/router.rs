//! (method, path) to route: built once, immutable, shared by all shards.
//!
//! Patterns and answers are those of Go's httprouter, which Tarmac uses: one tree per method, a
//! redirect to the path that would have matched, 405 with `Allow`, automatic `OPTIONS`. Unlike
//! there, fixed text may stand beside a parameter (`/users/me` and `/users/:id`); fixed text wins.
//! The admin pages are entries of the same trees, so that they follow the same rules.

mod build;
mod conflict;
mod path;
mod pattern;
#[cfg(test)]
mod tests;

pub use conflict::RouteConflict;

use std::borrow::Cow;

use crate::http::Method;
use pattern::Pattern;

/// A route of `tarmac.json`: requests with one of `methods` and a path that fits `pattern` run a
/// function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRoute {
    /// httprouter syntax: `/users/:id/files/*rest`.
    pub pattern: String,
    /// As on the wire, so in upper case for the known ones.
    pub methods: Vec<String>,
    /// Index into `Config::functions`.
    pub function: usize,
    /// Where the route was defined, for error messages: `services.demo.routes[0]`.
    pub origin: String,
}

/// Index into the slice of routes that the router was built from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub u16);

/// Pages that the server itself answers, for GET and HEAD; the latency page also for POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AdminPage {
    /// `/health`
    Health,
    /// `/ready`
    Ready,
    /// `/metrics`
    Metrics,
    /// `/debug/latency`
    Latency,
    /// `/debug/gauges`
    Gauges,
    /// `/debug/dashboard`
    Dashboard,
    /// `/debug/pprof` and everything below it
    Pprof,
}

/// What a request's method and path lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    Route(RouteId),
    Admin(AdminPage),
    /// The path is spelled differently: `to` is the right one, percent-encoded, without the query,
    /// which the caller appends. It always starts with exactly one `/`, so it never leads to
    /// another host, and holds only characters that are allowed in a path (RFC 3986 3.3).
    /// `permanent`: answer 308 Permanent Redirect, which keeps the method; else 301 Moved
    /// Permanently, for GET.
    Redirect {
        to: String,
        permanent: bool,
    },
    /// 405 with this `Allow`: sorted, comma-separated.
    MethodNotAllowed {
        allow: String,
    },
    /// 200 with this `Allow`.
    Options {
        allow: String,
    },
    /// 400: the path has a `%` that two hexadecimal digits do not follow.
    BadPath,
    NotFound,
}

/// See the module's description.
#[derive(Debug)]
pub struct Router {
    /// Sorted by name.
    methods: Vec<MethodRoutes>,
    /// `Method as usize` to an index into `methods`.
    known: [Option<usize>; METHODS],
    /// The patterns of the admin pages, then those of the routes in the order of their ids.
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct MethodRoutes {
    name: String,
    exact: matchit::Router<Target>,
    /// The same patterns in lower case: what a path in the wrong case may have meant, as an index
    /// into `Router::patterns`.
    folded: matchit::Router<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Target {
    Route(RouteId),
    Admin(AdminPage),
}

const METHODS: usize = Method::Other as usize;

impl Router {
    /// Where a request goes. `method_name` is the method as on the wire and is looked at for
    /// `Method::Other` only; `path` is as on the wire too, without the query. Neither allocates
    /// nor decodes for a path that has no `%` and a route.
    #[must_use]
    pub fn lookup(&self, method: Method, method_name: &[u8], path: &[u8]) -> Lookup {
        if memchr::memchr(b'%', path).is_none()
            && let Ok(path) = std::str::from_utf8(path)
        {
            return self.find(method, method_name, path);
        }
        match path::decode(path) {
            // A parameter may hold any bytes. Replacing those that are not UTF-8 keeps all slashes
            // where they are, and no pattern's fixed text has the replacement character.
            Some(decoded) => self.find(method, method_name, &String::from_utf8_lossy(&decoded)),
            None => Lookup::BadPath,
        }
    }

    #[inline]
    fn find(&self, method: Method, method_name: &[u8], path: &str) -> Lookup {
        let routes = self.routes_of(method, method_name);
        if let Some(routes) = routes
            && let Ok(hit) = routes.exact.at(path)
        {
            return match *hit.value {
                Target::Route(id) => Lookup::Route(id),
                Target::Admin(page) => Lookup::Admin(page),
            };
        }
        self.miss(routes, method, path)
    }

    #[inline]
    fn routes_of(&self, method: Method, method_name: &[u8]) -> Option<&MethodRoutes> {
        match self.known.get(method as usize) {
            Some(&index) => self.methods.get(index?),
            None => self.methods.iter().find(|routes| routes.name.as_bytes() == method_name),
        }
    }

    #[cold]
    fn miss(&self, routes: Option<&MethodRoutes>, method: Method, path: &str) -> Lookup {
        if path.is_empty() {
            return self.find_root(routes, method);
        }
        let server_wide = path == "*" && method == Method::Options;
        if !path.starts_with('/') && !server_wide {
            return Lookup::NotFound;
        }
        if let Some(routes) = routes
            && let Some(to) = self.respell(routes, path)
        {
            let permanent = method != Method::Get;
            return Lookup::Redirect { to: path::encode(&to), permanent };
        }
        match self.allow(path, server_wide) {
            None => Lookup::NotFound,
            Some(allow) if method == Method::Options => Lookup::Options { allow },
            Some(allow) => Lookup::MethodNotAllowed { allow },
        }
    }

    /// `http://host` asks for `/` (RFC 9110 4.2.3).
    fn find_root(&self, routes: Option<&MethodRoutes>, method: Method) -> Lookup {
        let name = routes.map_or("", |routes| routes.name.as_str());
        self.find(method, name.as_bytes(), "/")
    }

    /// The path that was probably meant and has a route for this method: with or without its last
    /// slash, without `//`, `.` and `..`, in the pattern's case. Only what matches is offered, so
    /// a redirect never leads to another one.
    fn respell<'p>(&self, routes: &MethodRoutes, path: &'p str) -> Option<Cow<'p, str>> {
        let matches = |path: &str| routes.exact.at(path).is_ok();
        let toggled = path::toggle_last_slash(path);
        if matches(&toggled) {
            return Some(toggled);
        }
        let clean = path::clean(path);
        let clean_toggled = match &clean {
            Cow::Borrowed(_) => toggled,
            Cow::Owned(clean) => Cow::Owned(path::toggle_last_slash(clean).into_owned()),
        };
        let folded = || {
            let folded =
                [self.restore_case(routes, &clean), self.restore_case(routes, &clean_toggled)];
            folded.into_iter().flatten().find(|path| matches(path))
        };
        if matches(&clean) {
            Some(clean)
        } else if matches(&clean_toggled) {
            Some(clean_toggled)
        } else {
            folded().map(Cow::Owned)
        }
    }

    /// `path` with the fixed text of the pattern that matches it but for the case of ASCII letters.
    fn restore_case(&self, routes: &MethodRoutes, path: &str) -> Option<String> {
        let lower = path::lower(path);
        let pattern = *routes.folded.at(&lower).ok()?.value;
        self.patterns.get(pattern)?.respell(path)
    }

    /// The methods that `path` has routes for, and OPTIONS; none if it has no route at all.
    fn allow(&self, path: &str, server_wide: bool) -> Option<String> {
        let has = |routes: &&MethodRoutes| server_wide || routes.exact.at(path).is_ok();
        let mut names: Vec<&str> =
            self.methods.iter().filter(has).map(|routes| routes.name.as_str()).collect();
        if names.is_empty() {
            return None;
        }
        if let Err(place) = names.binary_search(&"OPTIONS") {
            names.insert(place, "OPTIONS");
        }
        Some(names.join(", "))
    }
}
