//! Why a set of routes cannot be served together.

/// One route that cannot be served, and what is in its way. Origins are those of
/// [`HttpRoute::origin`](super::HttpRoute::origin).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteConflict {
    #[error("{reason}")]
    BadPattern { origin: String, pattern: String, reason: String },
    #[error("{reason}")]
    BadMethod { origin: String, method: String, reason: &'static str },
    #[error("{method} {pattern} takes requests from {page}, which the server answers itself")]
    Admin { origin: String, method: String, pattern: String, page: &'static str },
    #[error("{method} {pattern} conflicts with {other_pattern} of {other}")]
    Taken { origin: String, method: String, pattern: String, other_pattern: String, other: String },
    #[error(
        "{method} {pattern} calls the parameter `{name}` that {other_pattern} of {other} calls \
         `{other_name}`: one place has one name"
    )]
    Names {
        origin: String,
        method: String,
        pattern: String,
        name: String,
        other_pattern: String,
        other: String,
        other_name: String,
    },
    #[error("there are more than {max} routes")]
    TooMany { origin: String, max: usize },
}

impl RouteConflict {
    /// The origin of the route that cannot be served.
    #[must_use]
    pub fn origin(&self) -> &str {
        match self {
            Self::BadPattern { origin, .. }
            | Self::BadMethod { origin, .. }
            | Self::Admin { origin, .. }
            | Self::Taken { origin, .. }
            | Self::Names { origin, .. }
            | Self::TooMany { origin, .. } => origin,
        }
    }

    /// The part of the route that is wrong, as a key of `tarmac.json`, and its value.
    #[must_use]
    pub fn field(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::BadPattern { pattern, .. }
            | Self::Admin { pattern, .. }
            | Self::Taken { pattern, .. }
            | Self::Names { pattern, .. } => Some(("path", pattern)),
            Self::BadMethod { method, .. } => Some(("methods", method)),
            Self::TooMany { .. } => None,
        }
    }
}
