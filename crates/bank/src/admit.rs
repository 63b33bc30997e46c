//! Signatures, checked before a command takes its turn.
//!
//! The check needs nothing of the state, so the shell makes it on any thread and an audit makes it again years later. Whether the
//! key is the customer's own, and not blocked or copied, is decided by `identity` in the core.

use identity::{Assertion, Proof};
use passkey::{AssertionError, Expected, PublicKey, verify_assertion};
use sha2::{Digest, Sha256};

use crate::{BodyHash, Command, Refusal, Submission};

/// Who we are to an authenticator (WebAuthn Level 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    /// The relying party id, a domain such as `bank.example`.
    pub id: String,
    /// The origins our pages come from.
    pub origins: Vec<String>,
}

/// A submission whose signatures are good. Only [`admit`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    submission: Submission,
    body: BodyHash,
}

impl Admitted {
    /// The submission.
    #[must_use]
    pub const fn submission(&self) -> &Submission {
        &self.submission
    }

    /// The hash of its command.
    #[must_use]
    pub const fn body(&self) -> BodyHash {
        self.body
    }

    /// The submission, to keep.
    #[must_use]
    pub fn into_submission(self) -> Submission {
        self.submission
    }
}

/// Checks the signatures that a command carries; one without any passes.
///
/// # Errors
/// [`Refusal::Approval`] with what is wrong with the signature.
pub fn admit(submission: Submission, relying_party: &RelyingParty) -> Result<Admitted, Refusal> {
    match &submission.command {
        Command::Pay { intent, approval: Some(assertion) } => {
            let challenge = Sha256::digest(intent.canonical().as_bytes());
            check(assertion, &challenge, relying_party)?;
        }
        Command::Identity(
            identity::Command::OpenSession { proof: Proof::Passkey { assertion, challenge }, .. }
            | identity::Command::Unlock { assertion, challenge },
        ) => check(assertion, challenge, relying_party)?,
        Command::Pay { approval: None, .. }
        | Command::Identity(_)
        | Command::Payments(_)
        | Command::Settlement(_)
        | Command::Ledger(_)
        | Command::LedgerBatch(_)
        | Command::Cells(_)
        | Command::Exchange(_)
        | Command::OpenOwnAccount { .. }
        | Command::EffectReported { .. }
        | Command::Tick => {}
    }
    let body = BodyHash::of(&submission.command);
    Ok(Admitted { submission, body })
}

fn check(assertion: &Assertion, challenge: &[u8], relying_party: &RelyingParty) -> Result<(), Refusal> {
    let public_key = PublicKey::from_bytes(&assertion.public_key)
        .map_err(|_| Refusal::Approval(AssertionError::Signature))?;
    let origins: Vec<&str> = relying_party.origins.iter().map(String::as_str).collect();
    let expected = Expected {
        rp_id: &relying_party.id,
        origins: &origins,
        challenge,
        public_key: &public_key,
        require_user_verification: true,
        previous_sign_count: 0,
        user_handle: None,
    };
    let bytes = passkey::Assertion {
        credential_id: assertion.credential.as_bytes().to_vec(),
        authenticator_data: assertion.authenticator_data.to_vec(),
        client_data_json: assertion.client_data_json.to_vec(),
        signature: assertion.signature.to_vec(),
        user_handle: None,
    };
    let verified = verify_assertion(&bytes, &expected).map_err(Refusal::Approval)?;
    // The counter beside the bytes is what the core compares, so it must be the one that was signed.
    if verified.sign_count == assertion.sign_count {
        Ok(())
    } else {
        Err(Refusal::Approval(AssertionError::SignCount {
            previous: verified.sign_count,
            given: assertion.sign_count,
        }))
    }
}
