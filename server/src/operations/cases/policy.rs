//! What the council's policy says about losses, in words: who is told, and what negligence costs the holder.

use beadle_profiles::policy::council::{Council, Liability, Recipient};

use crate::error::Result;
use crate::model::CouncilId;
use crate::operations::policies;
use crate::store::Transaction;

/// What a policy says about losses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Says {
    pub(super) told_to: String,
    pub(super) liability: String,
}

/// What the policy in force says.
pub(super) fn says(tx: &mut Transaction<'_>, council: &CouncilId) -> Result<Says> {
    Ok(in_words(&policies::in_force(tx, council)?.policy.council))
}

fn in_words(council: &Council) -> Says {
    let recipients: Vec<&str> = council
        .loss_reported_to
        .iter()
        .map(|recipient| match recipient {
            Recipient::Clerk => "the clerk",
            Recipient::Chair => "the chair",
        })
        .collect();
    let told_to = match recipients.as_slice() {
        [] => "The council's policy does not say who is told of a loss.".to_owned(),
        some => format!("By the council's policy a loss is reported to {}.", some.join(" or ")),
    };
    let liability = match (council.liability, council.liability_first_pence) {
        (Liability::First, Some(pence)) => format!(
            "By the council's policy the holder pays up to the first {} of a loss or damage that negligence caused.",
            pounds(pence)
        ),
        (Liability::Uncapped, _) => {
            "By the council's policy the holder pays for a loss or damage that negligence caused; there is no limit."
                .to_owned()
        }
        (Liability::First | Liability::NotStated, _) => {
            "The council's policy does not say what negligence costs the holder.".to_owned()
        }
    };
    Says { told_to, liability }
}

fn pounds(pence: u64) -> String {
    match pence % 100 {
        0 => format!("£{}", pence / 100),
        rest => format!("£{}.{rest:02}", pence / 100),
    }
}

#[cfg(test)]
mod tests {
    use beadle_profiles::{Policy, Preset};

    use super::*;

    #[test]
    fn each_council_reads_its_own_rule() {
        let of = |preset| in_words(&Policy::preset(preset).council);
        let germoe = of(Preset::Germoe);
        assert!(germoe.liability.contains("up to the first £100 of"), "{germoe:?}");
        assert_eq!(germoe.told_to, "By the council's policy a loss is reported to the clerk or the chair.");
        let coreley = of(Preset::Coreley);
        assert!(coreley.liability.contains("no limit"), "{coreley:?}");
        assert!(coreley.told_to.contains("does not say"), "{coreley:?}");
        let nothing = in_words(&Council::default());
        assert!(nothing.liability.contains("does not say"), "{nothing:?}");
        assert_eq!((pounds(10_000).as_str(), pounds(9_905).as_str()), ("£100", "£99.05"));
    }
}
