//! `tarmac.json`: services with functions and routes. Every fault is reported with its path.
//!
//! Stricter than Tarmac where that hides mistakes: unknown and repeated keys, a function name in
//! two services, a route to no function and text that is not JSON are errors.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use super::functions::{FunctionConfig, Functions, Isolation, ModuleSource};
use super::json::{Fields, Json, Place, Reader};
use super::keys::{FUNCTION_MEMORY, FUNCTION_TIMEOUT, POOL_SIZE, Settings};
use super::kind::Number;
use super::problem::{Origin, Problems};
use super::sections::size;
use crate::router::HttpRoute;
use crate::telemetry::ServiceRoute;

/// A function's name is an operation of host calls and a label of metrics.
const NAME_BYTES_MAX: usize = 128;

/// Functions and routes of `text`, which was read from `file`; `module` finds a function's module.
pub(super) fn read(
    text: &str,
    file: &Path,
    settings: &Settings,
    module: &dyn Fn(&str) -> Result<ModuleSource, String>,
    problems: &mut Problems,
) -> Functions {
    let origin = Origin::File(file.to_owned());
    let json = match serde_json::from_str::<Json>(text) {
        Ok(json) => json,
        Err(error) => {
            problems.error("", &origin, None, format!("is not valid JSON: {error}"));
            return Functions::default();
        }
    };
    let reader = Reader { origin: origin.clone(), problems };
    let mut document = Document {
        reader,
        settings,
        module,
        functions: Vec::new(),
        names: HashMap::new(),
        service_routes: Vec::new(),
    };
    let routes = document.read(&Place { path: String::new(), json: &json });
    let functions = document.functions.into_iter().map(|defined| defined.config).collect();
    Functions { functions, routes, service_routes: document.service_routes, origin }
}

struct Document<'d, 'p> {
    reader: Reader<'p>,
    settings: &'d Settings,
    module: &'d dyn Fn(&str) -> Result<ModuleSource, String>,
    functions: Vec<Defined>,
    /// Indexes into `functions`.
    names: HashMap<String, usize>,
    service_routes: Vec<ServiceRoute>,
}

struct Defined {
    config: FunctionConfig,
    path: String,
    used: bool,
}

impl Document<'_, '_> {
    fn read(&mut self, document: &Place<'_>) -> Vec<HttpRoute> {
        let fields = self.reader.fields(document, &["services"]);
        let services = fields.get("services").map(|place| self.reader.members(&place));
        let mut routes = Vec::new();
        for (_, service) in services.unwrap_or_default() {
            let fields = self.reader.fields(&service, &["name", "functions", "routes"]);
            let name = self.reader.required_text(&fields, "name").map_or("", |(name, _)| name);
            if let Some(functions) = fields.get("functions") {
                for (name, function) in self.reader.members(&functions) {
                    self.function(name, &function);
                }
            }
            if let Some(place) = fields.get("routes") {
                routes.extend(self.reader.array(&place).into_iter().map(|route| (name, route)));
            }
        }
        // A service's route may run another one's function.
        let routes =
            routes.iter().filter_map(|(service, route)| self.route(service, route)).collect();
        self.warn_unused();
        routes
    }

    fn function(&mut self, name: &str, place: &Place<'_>) {
        let known = ["filepath", "pool_size", "timeout_ms", "memory_bytes_max", "isolation"];
        let fields = self.reader.fields(place, &known);
        let file = self.reader.required_text(&fields, "filepath");
        let module = file.and_then(|(path, place)| match (self.module)(path) {
            Ok(module) => Some(module),
            Err(reason) => {
                self.reader.refuse(&place, reason);
                None
            }
        });
        let timeout = self.number(&fields, "timeout_ms", &FUNCTION_TIMEOUT.0);
        let memory = self.number(&fields, "memory_bytes_max", &FUNCTION_MEMORY);
        let pool_size = self.number(&fields, "pool_size", &POOL_SIZE);
        let isolation = self.isolation(&fields);
        let config = FunctionConfig {
            name: name.to_owned(),
            // Without a module the configuration is not used.
            module: module.unwrap_or(ModuleSource::Embedded(&[])),
            pool_size: size(pool_size.unwrap_or(POOL_SIZE.default)),
            timeout: timeout.map_or(self.settings.function_timeout_ms.value, Duration::from_millis),
            memory_bytes_max: memory.unwrap_or(self.settings.function_memory_bytes_max.value),
            isolation: isolation.unwrap_or_default(),
            callable: false,
        };
        self.define(config, place);
    }

    fn define(&mut self, config: FunctionConfig, place: &Place<'_>) {
        let name = config.name.as_str();
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
            let reason = format!(
                "a function's name has 1 to {NAME_BYTES_MAX} bytes and no control characters"
            );
            self.reader.refuse(place, reason);
        }
        if let Some(&other) = self.names.get(name)
            && let Some(other) = self.functions.get(other)
        {
            let reason = format!("functions have one name space and {} has this name", other.path);
            self.reader.refuse(place, reason);
            return;
        }
        self.names.insert(name.to_owned(), self.functions.len());
        self.functions.push(Defined { config, path: place.path.clone(), used: false });
    }

    fn isolation(&mut self, fields: &Fields<'_>) -> Option<Isolation> {
        let place = fields.get("isolation")?;
        let text = self.reader.text(&place)?;
        let known = Isolation::NAMES.iter().find(|(name, _)| *name == text);
        if known.is_none() {
            let names = Isolation::NAMES.map(|(name, _)| name).join(" or ");
            self.reader.refuse(&place, format!("must be {names}"));
        }
        known.map(|(_, isolation)| *isolation)
    }

    fn number(&mut self, fields: &Fields<'_>, name: &str, bounds: &Number) -> Option<u64> {
        let place = fields.get(name)?;
        let number = match place.json {
            Json::Number(number) => number.as_u64(),
            _ => None,
        };
        let whole = "must be a whole number that is not negative".to_owned();
        match number.ok_or(whole).and_then(|number| bounds.check(number)) {
            Ok(number) => Some(number),
            Err(reason) => {
                self.reader.refuse(&place, reason);
                None
            }
        }
    }

    /// One route, if it is one for the router.
    fn route(&mut self, service: &str, place: &Place<'_>) -> Option<HttpRoute> {
        let known = ["type", "function", "path", "methods", "topic", "frequency", "retries"];
        let fields = self.reader.fields(place, &known);
        let kind = self.reader.required_text(&fields, "type");
        let function = self.route_function(&fields);
        let (kind, kind_place) = kind?;
        match kind {
            "http" => {
                self.count(service, "http");
                self.http_route(&fields, function)
            }
            "function" => {
                self.count(service, "function");
                self.warn_ignored(&fields, &["path", "methods", "topic", "frequency", "retries"]);
                if let Some(defined) = function.and_then(|index| self.functions.get_mut(index)) {
                    defined.config.callable = true;
                }
                None
            }
            "scheduled_task" | "init" => {
                let reason = format!("routes of type {kind} are not yet in this version");
                self.reader.refuse(&kind_place, reason);
                None
            }
            _ => {
                self.reader.refuse(&kind_place, "must be http, function, scheduled_task or init");
                None
            }
        }
    }

    fn count(&mut self, service: &str, kind: &'static str) {
        self.service_routes.push(ServiceRoute { service: service.to_owned(), kind });
    }

    fn http_route(&mut self, fields: &Fields<'_>, function: Option<usize>) -> Option<HttpRoute> {
        self.warn_ignored(fields, &["topic", "frequency", "retries"]);
        let path = self.reader.required_text(fields, "path");
        let methods = match fields.get("methods") {
            Some(place) => self.methods(&place),
            None => {
                self.reader.missing(&fields.object, "methods");
                None
            }
        };
        Some(HttpRoute {
            pattern: path?.0.to_owned(),
            methods: methods?,
            // A route to no function is an error; with the rest its conflicts are found anyway.
            function: function.unwrap_or(0),
            origin: fields.object.path.clone(),
        })
    }

    fn methods(&mut self, place: &Place<'_>) -> Option<Vec<String>> {
        let members = self.reader.array(place);
        if members.is_empty() && matches!(place.json, Json::Array(_)) {
            self.reader.refuse(place, "must have at least one method");
        }
        let methods: Vec<String> = members
            .iter()
            .filter_map(|member| self.reader.text(member).map(str::to_owned))
            .collect();
        (!methods.is_empty()).then_some(methods)
    }

    fn route_function(&mut self, fields: &Fields<'_>) -> Option<usize> {
        let (name, place) = self.reader.required_text(fields, "function")?;
        let Some(&index) = self.names.get(name) else {
            let names = self.names.keys().map(String::as_str);
            let hint = super::source::nearest(name, names)
                .map_or_else(String::new, |near| format!("; is {near} meant?"));
            let reason = format!("no service has a function of this name{hint}");
            self.reader.refuse(&place, reason);
            return None;
        };
        if let Some(defined) = self.functions.get_mut(index) {
            defined.used = true;
        }
        Some(index)
    }

    /// Tarmac ignores them too, so they do not keep a file from being used.
    fn warn_ignored(&mut self, fields: &Fields<'_>, names: &[&str]) {
        for place in names.iter().filter_map(|name| fields.get(name)) {
            self.reader.warn(&place.path, "has no effect on a route of this type");
        }
    }

    fn warn_unused(&mut self) {
        for defined in self.functions.iter().filter(|defined| !defined.used) {
            self.reader.warn(&defined.path, "no route runs this function");
        }
        if self.functions.is_empty() {
            self.reader.warn("services", "there are no functions: only the admin pages answer");
        }
    }
}
