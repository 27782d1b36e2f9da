//! Proactive negotiation (RFC 9110, 12): which of several representations a client prefers, by its Accept field.

/// One representation that could be sent.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// `type/subtype` in lower case.
    pub media_type: &'static str,
    /// Parameters that tell it from another offer of the same type. A client that names one must name this value; it may
    /// leave it out, and parameters that an offer does not have are no obstacle.
    pub parameters: &'static [(&'static str, &'static str)],
}

/// A client's Accept fields as one, joined by commas; empty if it sent none. `head` is a whole head that was parsed.
pub fn accept_field(head: &[u8]) -> String {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let fields = lines.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        name.eq_ignore_ascii_case(b"accept").then(|| String::from_utf8_lossy(value.trim_ascii()))
    });
    fields.collect::<Vec<_>>().join(",")
}

/// The offer that the client prefers, the first of those that it likes equally well; none if it accepts none of them.
/// A client that sends no Accept field takes anything.
pub fn negotiate(accept: &str, offers: &[Offer]) -> Option<usize> {
    if accept.trim().is_empty() {
        return (!offers.is_empty()).then_some(0);
    }
    let ranges: Vec<Range<'_>> = split(accept, ',').filter_map(Range::parse).collect();
    let mut best: Option<(usize, u16)> = None;
    for (index, offer) in offers.iter().enumerate() {
        let fitting = ranges.iter().filter_map(|range| Some((range.fit(offer)?, range.weight)));
        // Of the ranges that fit, the most specific one says how much the offer is liked.
        let weight = fitting.max_by_key(|(specificity, _)| *specificity).map_or(0, |(_, w)| w);
        if weight > 0 && best.is_none_or(|(_, most)| weight > most) {
            best = Some((index, weight));
        }
    }
    best.map(|(index, _)| index)
}

/// One element of an Accept field.
struct Range<'a> {
    media_type: &'a str,
    subtype: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    /// In thousandths, as precise as a weight can be.
    weight: u16,
}

impl<'a> Range<'a> {
    /// None for what is no media range: it says nothing about any offer.
    fn parse(text: &'a str) -> Option<Range<'a>> {
        let mut parts = split(text, ';').map(str::trim);
        let (media_type, subtype) = parts.next()?.split_once('/')?;
        let mut range = Range { media_type, subtype, parameters: Vec::new(), weight: 1_000 };
        for parameter in parts {
            let Some((name, value)) = parameter.split_once('=') else { continue };
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("q") {
                range.weight = weight(value)?;
                // What follows a weight are extensions, not parameters of the type.
                break;
            }
            range.parameters.push((name, value));
        }
        Some(range)
    }

    /// How specifically the range names the offer; none if it does not mean it.
    fn fit(&self, offer: &Offer) -> Option<usize> {
        let (media_type, subtype) = offer.media_type.split_once('/')?;
        let specificity = if self.media_type == "*" && self.subtype == "*" {
            0
        } else if !self.media_type.eq_ignore_ascii_case(media_type) {
            return None;
        } else if self.subtype == "*" {
            1
        } else if self.subtype.eq_ignore_ascii_case(subtype) {
            2
        } else {
            return None;
        };
        let mut named = 0;
        for (name, value) in &self.parameters {
            let known = offer.parameters.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
            match known {
                Some((_, known)) if !value.eq_ignore_ascii_case(known) => return None,
                Some(_) => named += 1,
                None => {}
            }
        }
        Some(specificity + named)
    }
}

/// From 0 to 1 with at most three decimals, in thousandths.
fn weight(text: &str) -> Option<u16> {
    let weight: f32 = text.parse().ok()?;
    (0.0..=1.0).contains(&weight).then(|| (weight * 1_000.0).round() as u16)
}

/// Splits where a separator stands outside of quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::{Offer, accept_field, negotiate};

    const OFFERS: [Offer; 4] = [
        Offer { media_type: "text/plain", parameters: &[("version", "0.0.4")] },
        Offer { media_type: "application/json", parameters: &[] },
        Offer { media_type: "application/openmetrics-text", parameters: &[("version", "1.0.0")] },
        Offer {
            media_type: "application/vnd.google.protobuf",
            parameters: &[
                ("proto", "io.prometheus.client.MetricFamily"),
                ("encoding", "delimited"),
            ],
        },
    ];
    /// Of Prometheus 3 with native histograms.
    const PROMETHEUS: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
        encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
        application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;\
        q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1";

    #[track_caller]
    fn check(accept: &str, expected: Option<usize>) {
        assert_eq!(negotiate(accept, &OFFERS), expected, "{accept}");
    }

    #[test]
    fn the_client_chooses() {
        check("", Some(0));
        check("*/*", Some(0));
        check("application/json", Some(1));
        check("APPLICATION/JSON; q=0.1", Some(1));
        check("text/html, application/xhtml+xml, */*;q=0.8", Some(0));
        check("text/*;q=0.1, application/json;q=0.2", Some(1));
        check("application/*", Some(1));
        check("image/png", None);
        check("text/plain;q=0, application/json;q=0.0", None);
        check("*/*, text/plain;q=0", Some(1));
        check("*/*;q=0.5, text/plain;q=0.1, application/json;q=0.001", Some(2));
        check("application/json;x=\"a,b;q=0\"", Some(1));
    }

    #[test]
    fn parameters_that_an_offer_has_must_agree() {
        check(PROMETHEUS, Some(3));
        check("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5", Some(2));
        check("application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5", Some(0));
        check("application/vnd.google.protobuf;encoding=text", None);
        check("text/plain; version=0.0.4; charset=utf-8", Some(0));
        check("text/plain;version=1.0.0", None);
        check("text/plain;version=\"0.0.4\"", Some(0));
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        check("json", None);
        check("application/json;q=2", None);
        check("application/json;q=x, text/plain", Some(0));
        check(",,;,application/json", Some(1));
        check("application/json;q", Some(1));
    }

    #[test]
    fn fields_of_a_head_are_joined() {
        let check = |head: &str, expected| assert_eq!(accept_field(head.as_bytes()), expected);
        check("GET / HTTP/1.1\r\nHost: a\r\nACCEPT:  a/b \r\naccept: c/d\r\n\r\n", "a/b,c/d");
        check("GET / HTTP/1.1\r\nAccept-Language: de\r\n\r\n", "");
        check("GET /accept:x HTTP/1.1\nAccept:\n\n", "");
    }
}
