//! The ways the page can be written, and how a client says which it wants.

/// The ways the page can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An aligned table in microseconds.
    Text,
    /// The same numbers in nanoseconds, each histogram with its base64 form.
    Json,
    /// One row for each histogram.
    Csv,
    /// The percentile spectrum of one histogram, as HdrHistogram's `outputPercentileDistribution` writes it.
    Hgrm,
    /// An interval log, as HdrHistogram's `HistogramLogWriter` writes it.
    Hlog,
}

impl Format {
    /// All of them. The first is for clients that do not say.
    pub const ALL: [Format; 5] =
        [Format::Text, Format::Json, Format::Csv, Format::Hgrm, Format::Hlog];

    /// The name that `format=` takes.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Csv => "csv",
            Format::Hgrm => "hgrm",
            Format::Hlog => "hlog",
        }
    }

    /// The format of a `format=` value.
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.name() == name)
    }

    /// What an Accept field says for this format. HdrHistogram's have no registered types.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain",
            Format::Json => "application/json",
            Format::Csv => "text/csv",
            Format::Hgrm => "text/x-hgrm",
            Format::Hlog => "text/x-hlog",
        }
    }

    /// The value of the response's Content-Type.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Text => "text/plain; charset=utf-8",
            Format::Json => "application/json",
            Format::Csv => "text/csv; charset=utf-8; header=present",
            Format::Hgrm => "text/x-hgrm; charset=utf-8",
            Format::Hlog => "text/x-hlog; charset=utf-8",
        }
    }

    /// The formats with their names and types, for a client that asked for another.
    pub fn list() -> String {
        let all = Format::ALL.map(|format| format!("{} ({})", format.name(), format.media_type()));
        all.join(", ")
    }
}
