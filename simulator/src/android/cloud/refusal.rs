//! Google's way to say no: the JSON error of its APIs.

use serde_json::{Value, json};

use crate::android::schema::Finding;

/// What a call answers when it succeeds.
pub(crate) type Answer = Result<Value, Refusal>;

/// A call refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) status: &'static str,
    pub(crate) message: String,
    pub(crate) findings: Vec<Finding>,
}

impl Refusal {
    fn new(code: u16, status: &'static str, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into(), findings: Vec::new() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self::new(400, "FAILED_PRECONDITION", message)
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(
            401,
            "UNAUTHENTICATED",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid \
             authentication credential.",
        )
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "PERMISSION_DENIED", message)
    }

    /// What Google answers for an enterprise that does not exist or belongs to another project.
    pub(crate) fn not_your_enterprise() -> Self {
        Self::forbidden("Caller is not authorized to manage enterprise.")
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "Requested entity was not found.")
    }

    pub(crate) fn exists(message: impl Into<String>) -> Self {
        Self::new(409, "ALREADY_EXISTS", message)
    }

    pub(crate) fn exhausted(project: &str) -> Self {
        Self::new(
            429,
            "RESOURCE_EXHAUSTED",
            format!(
                "Quota exceeded for quota metric 'Queries' and limit 'Queries per 100 seconds' of service \
                 'androidmanagement.googleapis.com' for consumer '{project}'."
            ),
        )
    }

    pub(crate) fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(501, "UNIMPLEMENTED", message)
    }

    /// Google's usual words for a status that a fault answers.
    pub(crate) fn usual(code: u16) -> Self {
        match code {
            404 => Self::not_found(),
            408 => Self::new(408, "DEADLINE_EXCEEDED", "The request timed out."),
            429 => Self::exhausted("project_number:1"),
            500 => Self::new(500, "INTERNAL", "Internal error encountered."),
            503 => Self::new(503, "UNAVAILABLE", "The service is currently unavailable."),
            other => Self::new(other, "UNKNOWN", "An error of the stand-in."),
        }
    }

    /// Google now and then answers 500 with the words of 404.
    pub(crate) fn with_code(mut self, code: u16, status: &'static str) -> Self {
        (self.code, self.status) = (code, status);
        self
    }

    /// The findings for which a call is refused, as one refusal; `Ok` when none is.
    pub(crate) fn unless_fine(findings: Vec<Finding>) -> Result<(), Self> {
        let findings: Vec<Finding> = findings.into_iter().filter(|finding| finding.refused).collect();
        let Some(first) = findings.first() else { return Ok(()) };
        let mut refusal = Self::invalid(first.to_string());
        refusal.findings = findings;
        Err(refusal)
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message, "status": self.status });
        if !self.findings.is_empty() {
            let violations: Vec<Value> = self
                .findings
                .iter()
                .map(|finding| json!({ "field": finding.path, "description": finding.problem }))
                .collect();
            error["details"] =
                json!([{ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": violations }]);
        }
        json!({ "error": error })
    }
}
