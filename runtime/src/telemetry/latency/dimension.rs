//! What series of the latency page differ in, and the values that each dimension can have: all from the configuration or
//! from closed sets, so that a page has no more series than these allow.

use crate::telemetry::kinds::StatusClass;
use crate::telemetry::labels::{Labels, Source, Trigger};
use crate::telemetry::stretch::{Capability, Phase};

/// A way to tell series apart, and the parameter that selects by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Dimension {
    Function,
    /// The pattern of the route; of host calls, the operation.
    Route,
    Trigger,
    Phase,
    Capability,
    Status,
    Shard,
}

impl Dimension {
    pub(super) const COUNT: usize = 7;
    /// All of them, in the order in which pages show them.
    pub(super) const ALL: [Dimension; Dimension::COUNT] = [
        Dimension::Function,
        Dimension::Route,
        Dimension::Trigger,
        Dimension::Phase,
        Dimension::Capability,
        Dimension::Status,
        Dimension::Shard,
    ];

    /// Name of the parameter and of the label.
    pub(super) fn label(self) -> &'static str {
        match self {
            Dimension::Function => "function",
            Dimension::Route => "route",
            Dimension::Trigger => "trigger",
            Dimension::Phase => "phase",
            Dimension::Capability => "capability",
            Dimension::Status => "status",
            Dimension::Shard => "shard",
        }
    }

    /// The dimension of this name.
    pub(super) fn named(name: &str) -> Option<Dimension> {
        Dimension::ALL.into_iter().find(|dimension| dimension.label() == name)
    }
}

/// Where a series lies in each dimension: an index into [`Values`], 0 where it has no value.
pub(super) type Place = [u32; Dimension::COUNT];

/// The value of something that has none in a dimension, such as the function of a request that matched no route.
const NONE: &str = "";
/// Known already, and without requests as long as routes of these types cannot be configured.
const TRIGGERS_TO_COME: [&str; 2] = ["schedule", "init"];

/// The values of each dimension. The first is [`NONE`].
#[derive(Debug)]
pub(super) struct Values {
    names: [Vec<String>; Dimension::COUNT],
    /// By index of the source: its place, but for phase, status and shard.
    sources: Vec<Place>,
}

impl Values {
    pub(super) fn of(labels: &Labels, shards: usize) -> Values {
        let mut values = Values { names: Default::default(), sources: Vec::new() };
        values.names.iter_mut().for_each(|names| names.push(NONE.to_owned()));
        let closed: [(Dimension, &mut dyn Iterator<Item = &'static str>); 4] = [
            (
                Dimension::Trigger,
                &mut Trigger::ALL.into_iter().map(Trigger::label).chain(TRIGGERS_TO_COME),
            ),
            (Dimension::Phase, &mut Phase::ALL.into_iter().map(Phase::label)),
            (Dimension::Capability, &mut Capability::ALL.into_iter().map(Capability::label)),
            (Dimension::Status, &mut StatusClass::ALL.into_iter().map(StatusClass::label)),
        ];
        for (dimension, names) in closed {
            values.names[dimension as usize].extend(names.map(str::to_owned));
        }
        values.names[Dimension::Shard as usize].extend((0..shards).map(|shard| shard.to_string()));
        values.add_sources(labels);
        values
    }

    /// Functions and routes in the order of the configuration. Linear search would take a second for 10,000 routes.
    fn add_sources(&mut self, labels: &Labels) {
        let mut known = std::collections::HashMap::new();
        for source in labels.sources() {
            let mut index = |dimension: Dimension, name: &str| {
                let names = &mut self.names[dimension as usize];
                *known.entry((dimension as usize, name.to_owned())).or_insert_with(|| {
                    if !name.is_empty() {
                        names.push(name.to_owned());
                    }
                    if name.is_empty() { 0 } else { names.len() as u32 - 1 }
                })
            };
            let mut place = Place::default();
            let Source { function, route, trigger, capability } = source;
            place[Dimension::Function as usize] = index(Dimension::Function, function);
            place[Dimension::Route as usize] = index(Dimension::Route, route);
            place[Dimension::Trigger as usize] = trigger as u32 + 1;
            place[Dimension::Capability as usize] = capability_index(capability);
            self.sources.push(place);
        }
    }

    /// The place of a source, without what its histograms differ in.
    pub(super) fn source(&self, index: u32) -> Place {
        self.sources[index as usize]
    }

    pub(super) fn name(&self, dimension: Dimension, index: u32) -> &str {
        &self.names[dimension as usize][index as usize]
    }

    /// The index of a value, none if there is no such value.
    pub(super) fn index(&self, dimension: Dimension, name: &str) -> Option<u32> {
        let at = self.names[dimension as usize].iter().position(|known| known == name)?;
        u32::try_from(at).ok()
    }

    /// All values that a dimension can have.
    pub(super) fn names(&self, dimension: Dimension) -> &[String] {
        &self.names[dimension as usize][1..]
    }
}

/// Index of a capability in [`Dimension::Capability`].
pub(super) fn capability_index(capability: Option<Capability>) -> u32 {
    capability.map_or(0, |capability| capability as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::{Dimension, Values};
    use crate::telemetry::labels::{Labels, RouteLabels};

    #[test]
    fn values_come_from_the_configuration() {
        let route = |function: &str, pattern: &str| RouteLabels {
            function: function.to_owned(),
            pattern: pattern.to_owned(),
        };
        let labels = Labels {
            functions: vec!["a".to_owned(), "b".to_owned()],
            routes: vec![route("b", "/x"), route("a", "/x"), route("a", "/y")],
            operations: &["kvstore:get", "function"],
            service_routes: Vec::new(),
        };
        let values = Values::of(&labels, 3);
        let check = |dimension, expected: &[&str]| assert_eq!(values.names(dimension), expected);
        check(Dimension::Function, &["b", "a"]);
        check(Dimension::Route, &["/x", "/y", "(unmatched)", "(admin)", "kvstore:get", "function"]);
        check(Dimension::Trigger, &["http", "call", "host", "admin", "schedule", "init"]);
        check(Dimension::Phase, &["total", "queue", "guest", "host", "write"]);
        check(Dimension::Shard, &["0", "1", "2"]);
        // Function, route, trigger, then capability, which only host calls have.
        let places: Vec<_> = (0..9).map(|source| values.source(source)).collect();
        assert_eq!(places[0], [1, 1, 1, 0, 0, 0, 0]);
        assert_eq!(places[1], [2, 1, 1, 0, 0, 0, 0]);
        assert_eq!(places[3], [0, 3, 1, 0, 0, 0, 0]);
        assert_eq!(places[4], [0, 4, 4, 0, 0, 0, 0]);
        assert_eq!(places[6], [1, 0, 2, 0, 0, 0, 0]);
        assert_eq!(places[7], [0, 5, 3, 0, 1, 0, 0]);
        assert_eq!(values.index(Dimension::Status, "shed"), Some(5));
        assert_eq!(values.index(Dimension::Function, "c"), None);
        assert_eq!(values.name(Dimension::Route, 2), "/y");
    }
}
