//! What two runs can be compared by: a name for each row, and the samples of its figures, one for
//! each round. `--json` has them as `rows`; `loadtest diff` reads two such files.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was measured; no other row of the run has it.
    pub name: String,
    pub figures: Vec<Figure>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// With its unit.
    pub name: String,
    pub better: Better,
    /// One for each round, in their order.
    pub samples: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Higher,
    Lower,
}

impl Row {
    pub fn new(name: impl Into<String>) -> Row {
        Row { name: name.into(), figures: Vec::new() }
    }

    pub fn higher(self, name: &str, samples: impl IntoIterator<Item = f64>) -> Row {
        self.figure(name, Better::Higher, samples)
    }

    pub fn lower(self, name: &str, samples: impl IntoIterator<Item = f64>) -> Row {
        self.figure(name, Better::Lower, samples)
    }

    /// Samples that are no number, which JSON cannot hold, are left out.
    fn figure(mut self, name: &str, better: Better, samples: impl IntoIterator<Item = f64>) -> Row {
        let samples = samples.into_iter().filter(|sample| sample.is_finite()).collect();
        self.figures.push(Figure { name: name.to_owned(), better, samples });
        self
    }
}
