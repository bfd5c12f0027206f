//! Interchanges: each comes once by its control number, and each is answered.

use interplant_domain::plant::Plant;
use interplant_mapping::document::Unread;
use interplant_mapping::edi;
use interplant_mapping::feed::Feed;
use interplant_mapping::place::Spot;
use interplant_runtime::Context;
use interplant_runtime::files::Delivery;
use interplant_runtime::step::StepError;
use jiff::tz::TimeZone;

use super::LocalFile;

/// A file of interchanges is judged as a whole.
const MOST_BYTES: u64 = 32 << 20;

/// Keeps control numbers, what the sender says of interchanges of ours, and the answer to the sender; whether the
/// file is to be read.
///
/// Safe to repeat: the answer has the control number that was taken first, and a control number that this
/// delivery itself has brought is no repetition.
pub(super) async fn answer(
    context: &Context,
    plant: &Plant,
    delivery: &mut Delivery,
    feed: &Feed,
    file: &LocalFile,
) -> Result<bool, StepError> {
    let refused = |code: &'static str, message: String| Unread {
        code,
        spot: Spot::of(&file.name),
        message,
        ends: true,
    };
    let unreadable = |error: std::io::Error| StepError::Retryable {
        message: format!("{}: {error}", file.path.display()),
        unknown: false,
        odoo: None,
    };
    let length = std::fs::metadata(&file.path).map_err(unreadable)?.len();
    if length > MOST_BYTES {
        let message = format!(
            "a file of interchanges has at most {} MB: send fewer in a file",
            MOST_BYTES >> 20
        );
        delivery.refuse(&refused("edi_limit", message));
        return Ok(false);
    }
    let bytes = std::fs::read(&file.path).map_err(unreadable)?;
    let now = context.now();
    let moment = TimeZone::UTC.to_datetime(now);
    // Judged once to count the answers, and once more to write them with their numbers.
    let judged = edi::acknowledge(feed, &bytes, moment, 1);
    let Ok((came, _)) = judged else {
        // Nobody can be answered; reading tells why.
        return Ok(true);
    };
    for interchange in &came {
        let first = context
            .files
            .claim_control(delivery, interchange, now)
            .await?;
        if let Some(first) = first {
            let message = format!(
                "interchange {} of {} came before, in the delivery {first}: nothing of this file is taken in; give a new interchange a new control number",
                interchange.control, interchange.sender
            );
            delivery.refuse(&refused("edi_duplicate_control", message));
            return Ok(false);
        }
    }
    if let Ok((said, _)) = edi::acknowledged(feed, &bytes) {
        context.acknowledged(plant, &said).await?;
    }
    let control = match delivery.answer_control {
        Some(control) => control,
        None => {
            let many = u32::try_from(came.len().max(1)).unwrap_or(1);
            let control = context.files.next_control(&delivery.plant, many).await?;
            delivery.answer_control = Some(control);
            context.files.save(delivery).await?;
            control
        }
    };
    if let Ok((came, text)) = edi::acknowledge(feed, &bytes, moment, control) {
        if text.is_empty() {
            // Acknowledgments are not acknowledged.
            delivery.answer_control = None;
        } else {
            context.files.keep_acknowledgment(delivery, text).await?;
        }
        delivery.interchanges = serde_json::to_value(&came).ok();
    }
    Ok(true)
}
