//! The envelope in which a [`SparkError`] survives being turned into text and back.
//!
//! DataFusion nests errors and Ballista sends them between processes as text, sometimes in `Debug` form. The envelope is
//! therefore plain hexadecimal between two markers: no formatter escapes it and no wrapper changes it.

use std::error::Error;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;

use super::SparkError;

const OPEN: &str = "{{spark-error:";
const CLOSE: &str = ":spark-error}}";

/// What a [`DataFusionError::External`] carries.
struct Envelope(SparkError);

impl std::fmt::Display for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {OPEN}", self.0)?;
        for byte in serde_json::to_vec(&self.0).unwrap_or_default() {
            write!(f, "{byte:02x}")?;
        }
        f.write_str(CLOSE)
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Error for Envelope {}

impl From<SparkError> for DataFusionError {
    fn from(error: SparkError) -> Self {
        DataFusionError::External(Box::new(Envelope(error)))
    }
}

impl From<SparkError> for ArrowError {
    fn from(error: SparkError) -> Self {
        ArrowError::ExternalError(Box::new(Envelope(error)))
    }
}

impl SparkError {
    /// The Spark error somewhere inside a DataFusion error, if there is one.
    #[must_use]
    pub fn recover(error: &DataFusionError) -> Option<Self> {
        match error {
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::recover(inner),
            DataFusionError::Shared(inner) => Self::recover(inner),
            DataFusionError::Collection(all) => all.iter().find_map(Self::recover),
            DataFusionError::External(inner) => Self::recover_source(inner.as_ref()),
            DataFusionError::ArrowError(inner, _) => Self::recover_source(inner.as_ref()),
            other => Self::recover_text(&other.to_string()),
        }
    }

    /// Looks through a chain of wrapped errors, then through their text.
    #[must_use]
    pub fn recover_source(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(current) = next {
            if let Some(envelope) = current.downcast_ref::<Envelope>() {
                return Some(envelope.0.clone());
            }
            if let Some(error) = current.downcast_ref::<SparkError>() {
                return Some(error.clone());
            }
            if let Some(error) = current.downcast_ref::<DataFusionError>() {
                return Self::recover(error);
            }
            if let Some(ArrowError::ExternalError(inner)) = current.downcast_ref::<ArrowError>() {
                return Self::recover_source(inner.as_ref());
            }
            next = current.source();
        }
        Self::recover_text(&error.to_string())
    }

    /// The Spark error in any text that contains an envelope.
    #[must_use]
    pub fn recover_text(text: &str) -> Option<Self> {
        let (_, rest) = text.split_once(OPEN)?;
        let (hex, _) = rest.split_once(CLOSE)?;
        let digits = hex.as_bytes();
        let bytes: Option<Vec<u8>> = digits
            .chunks(2)
            .map(|pair| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .collect();
        serde_json::from_slice(&bytes?).ok()
    }
}
