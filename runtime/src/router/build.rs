//! From routes to trees: checks every route, finds all conflicts, then builds.

use std::collections::HashMap;

use super::pattern::Pattern;
use super::{AdminPage, HttpRoute, METHODS, MethodRoutes, RouteConflict, RouteId, Router, Target};
use crate::http::Method;

/// A [`RouteId`] has 16 bits.
const ROUTES_MAX: usize = u16::MAX as usize + 1;

/// Methods by `Method as usize`, so that a request's method is one array access away.
const KNOWN: [(Method, &str); METHODS] = [
    (Method::Get, "GET"),
    (Method::Head, "HEAD"),
    (Method::Post, "POST"),
    (Method::Put, "PUT"),
    (Method::Delete, "DELETE"),
    (Method::Options, "OPTIONS"),
    (Method::Patch, "PATCH"),
    (Method::Connect, "CONNECT"),
    (Method::Trace, "TRACE"),
];

/// Of every admin page; routes cannot have them below `/debug/`.
const ADMIN_METHODS: [&str; 2] = ["GET", "HEAD"];
/// What else an admin page takes. A route with this method and a parameter in the page's place can stand beside it.
const ADMIN_POST: [AdminPage; 1] = [AdminPage::Latency];

const ADMIN_PAGES: [(AdminPage, &str); 6] = [
    (AdminPage::Health, "/health"),
    (AdminPage::Ready, "/ready"),
    (AdminPage::Metrics, "/metrics"),
    (AdminPage::Latency, "/debug/latency"),
    (AdminPage::Pprof, "/debug/pprof"),
    (AdminPage::Pprof, "/debug/pprof/*page"),
];

/// Everything below it is kept for admin pages, also for those that do not exist yet.
const ADMIN_DIRECTORY: &str = "debug";

impl Router {
    /// Builds the trees. A route's id is its index in `routes`.
    ///
    /// # Errors
    ///
    /// Every pattern or method that is not valid, every route that takes requests from an admin
    /// page, every pair of routes that cannot stand side by side.
    pub fn build(routes: &[HttpRoute]) -> Result<Self, Vec<RouteConflict>> {
        let mut builder = Builder::default();
        builder.add_admin_pages();
        for (index, route) in routes.iter().enumerate() {
            let Ok(id) = u16::try_from(index) else {
                let origin = route.origin.clone();
                builder.conflicts.push(RouteConflict::TooMany { origin, max: ROUTES_MAX });
                break;
            };
            builder.add(RouteId(id), route);
        }
        builder.finish()
    }
}

#[derive(Default)]
struct Builder {
    methods: HashMap<String, MethodBuilder>,
    patterns: Vec<Pattern>,
    conflicts: Vec<RouteConflict>,
}

#[derive(Default)]
struct MethodBuilder {
    exact: matchit::Router<Target>,
    /// What is in `exact`, in order.
    added: Vec<Added>,
    /// The name of the parameter at each place, and who gave it: an index into `added`.
    names: HashMap<String, (String, usize)>,
}

struct Added {
    pattern: Pattern,
    /// Of `pattern` in `Builder::patterns`.
    index: usize,
    origin: String,
    target: Target,
}

impl Builder {
    fn add_admin_pages(&mut self) {
        for (page, text) in ADMIN_PAGES {
            let origin = "the admin pages";
            self.add_pattern(text, origin, &ADMIN_METHODS, Target::Admin(page));
            if ADMIN_POST.contains(&page) {
                self.add_pattern(text, origin, &["POST"], Target::Admin(page));
            }
        }
    }

    fn add(&mut self, id: RouteId, route: &HttpRoute) {
        let methods = self.check_methods(route);
        self.add_pattern(&route.pattern, &route.origin, &methods, Target::Route(id));
    }

    fn check_methods<'r>(&mut self, route: &'r HttpRoute) -> Vec<&'r str> {
        let mut methods: Vec<&str> = Vec::with_capacity(route.methods.len());
        for method in &route.methods {
            let twice = methods.contains(&method.as_str()).then_some("the method is listed twice");
            match twice.or_else(|| method_fault(method)) {
                None => methods.push(method),
                Some(reason) => self.conflicts.push(RouteConflict::BadMethod {
                    origin: route.origin.clone(),
                    method: method.clone(),
                    reason,
                }),
            }
        }
        methods
    }

    fn add_pattern(&mut self, text: &str, origin: &str, methods: &[&str], target: Target) {
        let pattern = match Pattern::parse(text) {
            Ok(pattern) => pattern,
            Err(reason) => {
                let (origin, pattern) = (origin.to_owned(), text.to_owned());
                return self.conflicts.push(RouteConflict::BadPattern { origin, pattern, reason });
            }
        };
        let index = self.patterns.len();
        for &method in methods {
            let (pattern, origin) = (pattern.clone(), origin.to_owned());
            let added = Added { pattern, index, origin, target };
            let routes = self.methods.entry(method.to_owned()).or_default();
            self.conflicts.extend(routes.add(method, added).err().map(|conflict| *conflict));
        }
        self.patterns.push(pattern);
    }

    fn finish(self) -> Result<Router, Vec<RouteConflict>> {
        if !self.conflicts.is_empty() {
            return Err(self.conflicts);
        }
        let built = self.methods.into_iter().map(|(name, routes)| routes.finish(name));
        let mut methods: Vec<MethodRoutes> = built.collect();
        methods.sort_by(|a, b| a.name.cmp(&b.name));
        let mut known = [None; METHODS];
        for (method, name) in KNOWN {
            known[method as usize] = methods.iter().position(|routes| routes.name == name);
        }
        Ok(Router { methods, known, patterns: self.patterns })
    }
}

impl MethodBuilder {
    fn add(&mut self, method: &str, added: Added) -> Result<(), Box<RouteConflict>> {
        if let (Target::Route(_), Some(page)) =
            (added.target, admin_page_taken(method, &added.pattern))
        {
            let pattern = added.pattern.text;
            return Err(Box::new(RouteConflict::Admin {
                origin: added.origin,
                method: method.to_owned(),
                pattern,
                page,
            }));
        }
        self.check_names(method, &added)?;
        self.insert(&added).map_err(|other| Box::new(taken(method, &added, other)))?;
        for (place, name) in added.pattern.parameters() {
            self.names.entry(place).or_insert_with(|| (name.to_owned(), self.added.len()));
        }
        self.added.push(added);
        Ok(())
    }

    /// httprouter's rule, kept because a route that calls the same place by another name is
    /// usually in the wrong place.
    fn check_names(&self, method: &str, added: &Added) -> Result<(), Box<RouteConflict>> {
        for (place, name) in added.pattern.parameters() {
            let Some((other_name, other)) = self.names.get(&place) else { continue };
            if other_name != name
                && let Some(other) = self.added.get(*other)
            {
                return Err(Box::new(RouteConflict::Names {
                    origin: added.origin.clone(),
                    method: method.to_owned(),
                    pattern: added.pattern.text.clone(),
                    name: name.to_owned(),
                    other_pattern: other.pattern.text.clone(),
                    other: other.origin.clone(),
                    other_name: other_name.clone(),
                }));
            }
        }
        Ok(())
    }

    /// All of the pattern or nothing; fails with what is in the way.
    fn insert(&mut self, added: &Added) -> Result<(), Option<&Added>> {
        let patterns = added.pattern.tree_patterns();
        for (index, pattern) in patterns.iter().enumerate() {
            if self.exact.insert(pattern, added.target).is_err() {
                for inserted in &patterns[..index] {
                    self.exact.remove(inserted);
                }
                return Err(self
                    .added
                    .iter()
                    .find(|other| collide(&other.pattern, &added.pattern)));
            }
        }
        Ok(())
    }

    fn finish(self, name: String) -> MethodRoutes {
        let mut folded = matchit::Router::new();
        for added in &self.added {
            for pattern in added.pattern.to_lower_case().tree_patterns() {
                // Two patterns that differ in case only: a path in neither case goes to the first.
                let _second = folded.insert(pattern, added.index);
            }
        }
        MethodRoutes { name, exact: self.exact, folded }
    }
}

fn taken(method: &str, added: &Added, other: Option<&Added>) -> RouteConflict {
    let text = |other: &Added| (other.pattern.text.clone(), other.origin.clone());
    let (other_pattern, other) =
        other.map_or_else(|| ("the routes".to_owned(), "this method".to_owned()), text);
    RouteConflict::Taken {
        origin: added.origin.clone(),
        method: method.to_owned(),
        pattern: added.pattern.text.clone(),
        other_pattern,
        other,
    }
}

fn collide(a: &Pattern, b: &Pattern) -> bool {
    let mut tree = matchit::Router::new();
    let mut patterns = a.tree_patterns().into_iter().chain(b.tree_patterns());
    patterns.any(|pattern| tree.insert(pattern, ()).is_err())
}

fn admin_page_taken(method: &str, pattern: &Pattern) -> Option<&'static str> {
    if !ADMIN_METHODS.contains(&method) {
        return None;
    }
    if pattern.may_start_with(ADMIN_DIRECTORY) {
        return Some("/debug/");
    }
    ADMIN_PAGES.iter().map(|(_, page)| *page).find(|page| pattern.fits(page))
}

fn method_fault(method: &str) -> Option<&'static str> {
    // RFC 9110 5.6.2.
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let upper = method.to_ascii_uppercase();
    if method.is_empty() || !method.bytes().all(is_token_byte) {
        Some("this is not an HTTP method")
    } else if method == "CONNECT" {
        Some("a CONNECT request has no path to match")
    } else if method != upper && KNOWN.iter().any(|(_, known)| *known == upper) {
        Some("methods are case-sensitive: write it in capital letters")
    } else {
        None
    }
}
