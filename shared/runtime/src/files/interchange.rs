//! Control numbers: those of partners, which come once, and ours, which count up.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use interplant_domain::identifier::{PlantCode, sha256_hex};
use interplant_mapping::edi::Interchange;
use jiff::{SignedDuration, Timestamp};

use super::{Delivery, Files, key};
use crate::store::{Error, happened, unavailable};

/// A partner's control number may come again when the business keys of what it brought are forgotten, too.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);

impl Files {
    /// Keeps the control number of an interchange; the delivery that brought it first, when that was another.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn claim_control(
        &self,
        delivery: &Delivery,
        came: &Interchange,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let parties = [&came.sender, &came.receiver, &came.control].map(String::as_str);
        let sk = format!(
            "control#{}#{}",
            delivery.feed,
            sha256_hex(parties.join("\u{1f}").as_bytes())
        );
        let put = self
            .dynamo
            .put_item()
            .table_name(&self.table)
            .item("pk", key(&delivery.plant))
            .item("sk", AttributeValue::S(sk.clone()))
            .item("file", AttributeValue::S(delivery.id.clone()))
            .item("at", AttributeValue::N(now.as_second().to_string()))
            .condition_expression("attribute_not_exists(pk) OR #file = :file OR #at < :forgotten")
            .expression_attribute_names("#file", "file")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":file", AttributeValue::S(delivery.id.clone()))
            .expression_attribute_values(
                ":forgotten",
                AttributeValue::N((now - REMEMBERED).as_second().to_string()),
            );
        if happened(put.send().await)? {
            return Ok(None);
        }
        let item = self.item(&delivery.plant, &sk).await?;
        let first = item.as_ref().and_then(|item| item.get("file"));
        Ok(first.and_then(|file| file.as_s().ok()).cloned())
    }

    /// The next control number of a plant's answers. One that is not used leaves a gap, which harms nobody.
    ///
    /// # Errors
    /// When the store is not available.
    pub async fn next_control(&self, plant: &PlantCode, interchanges: u32) -> Result<u32, Error> {
        let answer = self
            .dynamo
            .update_item()
            .table_name(&self.table)
            .key("pk", key(plant))
            .key("sk", AttributeValue::S("control".to_owned()))
            .update_expression("ADD #next :many")
            .expression_attribute_names("#next", "next")
            .expression_attribute_values(":many", AttributeValue::N(interchanges.to_string()))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(unavailable)?;
        let last = answer
            .attributes()
            .and_then(|attributes| attributes.get("next"))
            .and_then(|next| next.as_n().ok())
            .and_then(|next| next.parse::<u32>().ok())
            .ok_or_else(|| Error::Unreadable(format!("the control numbers of {plant}")))?;
        Ok(last - interchanges + 1)
    }
}
