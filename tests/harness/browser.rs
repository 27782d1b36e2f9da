//! Chromium without a window, showing one page, as a user's browser shows it.
//!
//! It is driven by its DevTools protocol over a pipe: <https://chromedevtools.github.io/devtools-protocol/>. Messages are
//! JSON, each ended by a zero byte.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::keeper;
use super::services::script;

/// It starts in two seconds on an idle machine.
const ANSWER_WAIT: Duration = Duration::from_secs(60);

/// One browser with one page.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    /// What came that was no answer.
    events: Vec<Value>,
    /// Of the page; none until it is attached to.
    session: Option<String>,
    last_id: u64,
    _folder: TempDir,
}

impl Browser {
    /// Starts it and has it report what its page asks for and complains of.
    #[track_caller]
    pub fn start() -> Browser {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut process = Command::new(script("chromium.sh"))
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("bash is there");
        keeper::keep(process.id(), folder.path());
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, messages) = mpsc::channel();
        // Ends with the browser, or with the receiver.
        thread::spawn(move || {
            let texts = output.split(0).map_while(Result::ok);
            let values = texts.map_while(|text| serde_json::from_slice(&text).ok());
            values.take_while(|value: &Value| sender.send(value.clone()).is_ok()).count();
        });
        let (events, session) = (Vec::new(), None);
        let mut browser =
            Browser { process, input, messages, events, session, last_id: 0, _folder: folder };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let targets = self.call("Target.getTargets", json!({}))["targetInfos"].clone();
        let page = targets.as_array().into_iter().flatten().find(|target| target["type"] == "page");
        let target = page.expect("the browser has a page")["targetId"].clone();
        let attached =
            self.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true }));
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// One command of the protocol and its answer.
    #[track_caller]
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({ "id": self.last_id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.input.write_all(format!("{message}\0").as_bytes()).expect("the browser reads");
        loop {
            let mut message = self.messages.recv_timeout(ANSWER_WAIT).expect("an answer in time");
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    /// Goes to a page. It may not be there yet when this returns.
    #[track_caller]
    pub fn open(&mut self, url: &str) {
        let went = self.call("Page.navigate", json!({ "url": url }));
        assert!(went["errorText"].is_null(), "{url}: {went}");
    }

    /// The value of an expression of the page's script, as JSON can say it.
    #[track_caller]
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// Presses and releases a key of this name and code.
    pub fn press(&mut self, key: &str, text: &str, code: u32) {
        for kind in ["keyDown", "keyUp"] {
            self.call(
                "Input.dispatchKeyEvent",
                json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code }),
            );
        }
    }

    /// The addresses that the page has asked for so far.
    pub fn requested(&self) -> Vec<String> {
        let asked = self.events_of("Network.requestWillBeSent");
        asked.filter_map(|event| event["request"]["url"].as_str().map(str::to_owned)).collect()
    }

    /// What the page has complained of so far: errors, warnings, what its policy forbade.
    pub fn complaints(&self) -> Vec<Value> {
        let said = self.events_of("Runtime.consoleAPICalled");
        let thrown = self.events_of("Runtime.exceptionThrown");
        said.chain(thrown).chain(self.events_of("Log.entryAdded")).cloned().collect()
    }

    fn events_of(&self, method: &'static str) -> impl Iterator<Item = &Value> {
        let of = move |event: &&Value| event["method"] == method;
        self.events.iter().filter(of).map(|event| &event["params"])
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        // It may have ended already.
        let _ = group.map(|group| kill_process_group(group, Signal::KILL));
        let _ = self.process.wait();
    }
}
