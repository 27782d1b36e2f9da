//! What is asked for but not in this version is refused; what has no effect is warned about.

use super::keys::{Feature, KEYS, Part, Settings};
use super::problem::Problems;
use super::source::Source;

pub(super) fn check(settings: &Settings, source: &Source, problems: &mut Problems) {
    refuse_what_is_missing(settings, problems);
    for key in KEYS {
        let Part::Of(feature) = key.part else { continue };
        if let Some(variable) = source.variable(key.name)
            && let Some(reason) = without_effect(feature, settings)
        {
            problems.warn(format!("{} (from {variable}) has no effect: {reason}", key.name));
        }
    }
}

fn refuse_what_is_missing(settings: &Settings, problems: &mut Problems) {
    if settings.enable_tls.value {
        settings.enable_tls.refuse(
            "TLS is not yet in this version; it is on by default as in Tarmac, so set \
             APP_ENABLE_TLS=false to serve plain HTTP",
            problems,
        );
    }
    if settings.use_consul.value {
        settings.use_consul.refuse("Consul is not yet in this version", problems);
    }
    if settings.run_mode.value == "job" {
        settings.run_mode.refuse("init functions are not yet in this version", problems);
    }
    if settings.enable_pprof.value {
        settings.enable_pprof.warn("there are no profiles in this version", problems);
    }
}

/// Why a feature's settings do nothing; none if they do, or if the feature itself is refused.
fn without_effect(feature: Feature, settings: &Settings) -> Option<String> {
    let off = |switch: &str| Some(format!("{switch} is false"));
    match feature {
        Feature::Tls if !settings.enable_tls.value => off("enable_tls"),
        Feature::Consul if !settings.use_consul.value => off("use_consul"),
        Feature::Sql if !settings.enable_sql.value => off("enable_sql"),
        Feature::Tls | Feature::Consul | Feature::Sql => None,
        Feature::Kv | Feature::EmbeddedKv | Feature::Redis | Feature::Cassandra | Feature::Nats
            if !settings.enable_kvstore.value =>
        {
            off("enable_kvstore")
        }
        Feature::Kv => None,
        Feature::EmbeddedKv => unless_type(settings, &["internal", "boltdb", "embedded"]),
        Feature::Redis => unless_type(settings, &["redis"]),
        Feature::Cassandra => unless_type(settings, &["cassandra"]),
        Feature::Nats => unless_type(settings, &["nats"]),
    }
}

fn unless_type(settings: &Settings, types: &[&str]) -> Option<String> {
    let chosen = settings.kvstore_type.value.as_str();
    (!types.contains(&chosen)).then(|| format!("kvstore_type is {chosen}"))
}
