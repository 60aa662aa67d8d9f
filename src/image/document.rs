//! Images as data: what `image … --output-format json` prints, and what reads it back.
//!
//! ```json
//! {"version": 1, "images": [{"filename": "train.py", "variable": "image", "uri": "train:0f…", "layers": []}]}
//! ```

use serde::{Deserialize, Serialize};

use super::Image;
use crate::source::Location;

/// The version of the format; it changes when a field goes or changes its meaning.
pub const VERSION: u32 = 1;

/// The images of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// [`VERSION`]
    pub version: u32,
    /// The images, by file and place.
    pub images: Vec<Entry>,
}

/// An image with its place in the code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The file, as it is shown.
    pub filename: String,
    /// The name that it is assigned to.
    pub variable: Option<String>,
    /// Where its chain begins.
    pub location: Location,
    /// The name under which Flyte looks for it; `None` where that cannot be known, or the SDK refuses the image.
    pub uri: Option<String>,
    /// The expressions that stand in the way of knowing it. In the fields below they stand in braces.
    pub unknown: Vec<String>,
    /// What the SDK refuses, and what else stands in the way of its `uri`.
    pub problems: Vec<String>,
    /// What it comes to, as far as it is known.
    #[serde(flatten)]
    pub image: Image,
    /// The tasks that run in it.
    pub tasks: Vec<String>,
}
