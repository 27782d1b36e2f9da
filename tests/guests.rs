//! Guests and what each must do: the table that both airside's host and the `wapc` crate's are
//! held to.
//!
//! Where the two rightly differ, the table says what `wapc` 2.2 with `wasmtime-provider` 2.25 does
//! instead, and why airside does not. Tarmac's host, wapc-go on wazero, is the one to agree with.
//!
//! A row is one instance that is called in turn, with the host of `double` or one that answers the
//! same: an empty key-value store, the functions `echo` and `hello`, 128 MiB of memory, 100,000
//! table elements, a deadline.

pub(crate) mod double;
pub(crate) mod provider;
mod rows;

pub(crate) use rows::rows;
use std::path::Path;

pub(crate) const MEMORY_BYTES_MAX: usize = 128 << 20;
pub(crate) const TABLE_ELEMENTS_MAX: usize = 100_000;

/// How one invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answer(Vec<u8>),
    /// It failed with a text of its own.
    GuestError(Vec<u8>),
    /// It failed and gave no text.
    Unsuccessful,
    Trap,
    /// It was ended at its deadline.
    Deadline,
    /// It took the host down with it; airside never may.
    HostPanic,
}

/// What became of an instance before its first invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Ready,
    /// The module was refused, or a start function failed or outran its deadline.
    Failed,
}

#[derive(Debug)]
pub(crate) struct Row {
    /// A `.wat` or `.wasm` file, from the root of the repository.
    pub(crate) guest: String,
    pub(crate) start: Expected<Start>,
    /// It has a loop without end.
    pub(crate) endless: bool,
    pub(crate) calls: Vec<Call>,
}

#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) payload: Vec<u8>,
    pub(crate) outcome: Expected<Outcome>,
}

/// What airside does, and what `wapc` with `wasmtime-provider` does where that is something else.
#[derive(Debug)]
pub(crate) struct Expected<T> {
    pub(crate) airside: T,
    provider: Option<T>,
}

/// The only operation that Tarmac calls; the guests of the examples register it.
pub(crate) const OPERATION: &str = "handler";

impl<T> Expected<T> {
    fn same(outcome: T) -> Self {
        Expected { airside: outcome, provider: None }
    }

    pub(crate) fn provider(&self) -> &T {
        self.provider.as_ref().unwrap_or(&self.airside)
    }
}

impl Row {
    fn new(guest: &str) -> Self {
        let start = Expected::same(Start::Ready);
        Row { guest: guest.to_owned(), start, endless: false, calls: Vec::new() }
    }

    /// One of the guests in `tests/guests`.
    fn wat(name: &str) -> Self {
        Row::new(&format!("tests/guests/{name}.wat"))
    }

    fn endless(mut self) -> Self {
        self.endless = true;
        self
    }

    fn never_starts(mut self) -> Self {
        self.start = Expected::same(Start::Failed);
        self
    }

    fn call(mut self, payload: impl AsRef<[u8]>, outcome: Outcome) -> Self {
        let payload = payload.as_ref().to_vec();
        self.calls.push(Call { payload, outcome: Expected::same(outcome) });
        self
    }

    /// The last call gives `outcome` in `wasmtime-provider`.
    fn but_provider(mut self, outcome: Outcome) -> Self {
        let call = self.calls.last_mut().expect("a call comes first");
        call.outcome.provider = Some(outcome);
        self
    }

    /// `wasmtime-provider` starts this guest.
    fn but_provider_starts(mut self) -> Self {
        self.start.provider = Some(Start::Ready);
        self
    }

    /// The module in the binary format.
    pub(crate) fn module(&self, repository: &Path) -> Vec<u8> {
        let file = repository.join(&self.guest);
        wat::parse_file(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }
}

fn answer(bytes: impl AsRef<[u8]>) -> Outcome {
    Outcome::Answer(bytes.as_ref().to_vec())
}

fn guest_error(text: impl AsRef<[u8]>) -> Outcome {
    Outcome::GuestError(text.as_ref().to_vec())
}
