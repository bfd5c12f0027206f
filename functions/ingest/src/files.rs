//! Files: announced here, uploaded to where the answer says, read by `import`.

use interplant_domain::identifier::PlantCode;
use interplant_domain::json::Json;
use interplant_mapping::feed::{Bundle, Feed};
use interplant_runtime::Context;
use interplant_runtime::files::{DeliveredFile, Delivery, DeliveryState, FILE_BYTES};
use lambda_http::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::request::unavailable;

/// What a plant announces.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Announcement {
    feed: String,
    files: Vec<AnnouncedFile>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnnouncedFile {
    name: String,
    /// Text, like every number at the door.
    bytes: String,
    sha256: Option<String>,
}

fn refused(code: &'static str, title: impl Into<String>, pointer: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, title).at(pointer)
}

/// `POST /v1/files`: takes the announcement, and says where to upload.
pub(crate) async fn announce(
    context: &Context,
    plant: &PlantCode,
    body: Json,
) -> Result<Value, Problem> {
    let announced = Announcement::deserialize(body.into_text_values())
        .map_err(|error| refused("invalid_value", error.to_string(), ""))?;
    let (hash, bundle) = published(context, plant).await?;
    let path = format!("{plant}/feeds/{}.yaml", announced.feed);
    if !bundle.files.contains_key(&path) {
        let known: Vec<String> = bundle
            .feeds(plant)
            .iter()
            .map(|path| name_of(path))
            .collect();
        return Err(refused(
            "unknown_feed",
            format!(
                "plant {plant} has no feed `{}`, but {}",
                announced.feed,
                known.join(", ")
            ),
            "/feed",
        ));
    }
    let feed = Feed::read(&bundle, plant, &path).map_err(|mistake| {
        tracing::error!("a feed that was published: {mistake}");
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The feed is broken on our side; it was reported.",
        )
    })?;
    let files = roles(&feed, &announced.files)?;
    let delivery = Delivery::announced(plant, &announced.feed, &hash, files, context.now());
    let addresses = context
        .files
        .announce(&delivery)
        .await
        .map_err(|error| unavailable(&error))?;
    let uploads: Vec<Value> = delivery
        .files
        .iter()
        .zip(addresses)
        .map(|(file, url)| json!({"name": file.name, "role": file.role, "method": "PUT", "url": url, "bytes": file.bytes}))
        .collect();
    Ok(json!({"id": delivery.id, "feed": delivery.feed, "uploads": uploads}))
}

fn name_of(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.trim_end_matches(".yaml").to_owned()
}

async fn published(context: &Context, plant: &PlantCode) -> Result<(String, Bundle), Problem> {
    let hash = context
        .files
        .published(plant)
        .await
        .map_err(|error| unavailable(&error))?;
    let hash = hash.ok_or_else(|| {
        refused(
            "unknown_feed",
            format!("plant {plant} has no published feeds; ask the integration engineer"),
            "/feed",
        )
    })?;
    let bundle = context.files.bundle(plant, &hash).await;
    Ok((hash, bundle.map_err(|error| unavailable(&error))?))
}

/// What each announced file is to the feed; each of the feed's files once.
fn roles(feed: &Feed, announced: &[AnnouncedFile]) -> Result<Vec<DeliveredFile>, Problem> {
    let mut files: Vec<DeliveredFile> = Vec::new();
    for (index, file) in announced.iter().enumerate() {
        let here = format!("/files/{index}");
        let is_name = (1..=200).contains(&file.name.chars().count())
            && !file.name.contains(['/', '\\'])
            && !file.name.chars().any(char::is_control);
        if !is_name {
            return Err(refused(
                "invalid_value",
                "the name of a file is 1 to 200 characters without slashes and control characters",
                &format!("{here}/name"),
            ));
        }
        let bytes: u64 = file.bytes.parse().map_err(|_| {
            refused(
                "invalid_number",
                format!("`{}` is no number of bytes", file.bytes),
                &format!("{here}/bytes"),
            )
        })?;
        let is_hash = |text: &String| {
            text.len() == 64
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        if !file.sha256.as_ref().is_none_or(is_hash) {
            return Err(refused(
                "invalid_value",
                "a SHA-256 is 64 digits and small letters from a to f",
                &format!("{here}/sha256"),
            ));
        }
        // An address for nothing to be uploaded to would be refused by S3, in words of its own.
        if bytes == 0 {
            return Err(refused(
                "file_empty",
                format!(
                    "the file `{}` is empty: announce it when there is something in it; where there is nothing to report, send nothing",
                    file.name
                ),
                &format!("{here}/bytes"),
            ));
        }
        if bytes > FILE_BYTES {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                format!("a file has at most {} MB", FILE_BYTES >> 20),
            )
            .at(format!("{here}/bytes")));
        }
        let role = feed.takes(&file.name).ok_or_else(|| {
            refused(
                "unknown_file",
                format!(
                    "the feed {} takes no file of the name `{}`",
                    feed.name, file.name
                ),
                &format!("{here}/name"),
            )
        })?;
        if files.iter().any(|other| other.role == role) {
            return Err(refused(
                "unknown_file",
                format!("two of the files are the feed's `{role}`: announce them apart"),
                &format!("{here}/name"),
            ));
        }
        files.push(DeliveredFile {
            role: role.to_owned(),
            name: file.name.clone(),
            bytes,
            sha256: file.sha256.clone(),
            version: None,
        });
    }
    let missing: Vec<&str> = feed
        .roles()
        .into_iter()
        .filter(|role| !files.iter().any(|file| file.role == *role))
        .collect();
    if !missing.is_empty() {
        return Err(refused(
            "file_missing",
            format!("the feed {} needs {} too", feed.name, missing.join(", ")),
            "/files",
        ));
    }
    Ok(files)
}

/// `GET /v1/files/{id}`: how far it is, and what became of its facts.
pub(crate) async fn fate(
    context: &Context,
    plant: &PlantCode,
    id: &str,
) -> Result<Option<Value>, Problem> {
    let delivery = context
        .files
        .delivery(plant, id)
        .await
        .map_err(|error| unavailable(&error))?;
    let Some(delivery) = delivery else {
        return Ok(None);
    };
    let result = if matches!(delivery.state, DeliveryState::Done | DeliveryState::Refused) {
        let address = context.files.result_address(&delivery).await;
        Some(address.map_err(|error| unavailable(&error))?)
    } else {
        None
    };
    // The same bytes get the same answer.
    let answered = delivery.same_as.as_deref().unwrap_or(&delivery.id);
    let acknowledgment = match &delivery.answer_control {
        Some(_) => {
            let address = context.files.acknowledgment_address(plant, answered).await;
            Some(address.map_err(|error| unavailable(&error))?)
        }
        None => None,
    };
    Ok(Some(json!({
        "interchanges": delivery.interchanges, "acknowledgment_url": acknowledgment,
        "id": delivery.id, "feed": delivery.feed, "state": delivery.state, "mapping": delivery.bundle,
        "documents": delivery.documents, "counts": delivery.counts, "problems": delivery.problems,
        "refused": delivery.refused, "same_as": delivery.same_as, "announced_at": delivery.announced_at, "finished_at": delivery.finished_at,
        "result_url": result
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEED: &str =
        "system: erp\ndocument: order\nfiles:\n  orders: { name: \"PO*.csv\" }\nevents: {}\n";

    fn announced(bytes: &str) -> Result<Vec<DeliveredFile>, Problem> {
        let plant: PlantCode = "plant-x".parse().unwrap();
        let path = "plant-x/feeds/orders.yaml";
        let files = [(path.to_owned(), FEED.as_bytes().to_vec())].into();
        let feed = Feed::read(&Bundle { files }, &plant, path).unwrap();
        let file = AnnouncedFile {
            name: "PO1.csv".to_owned(),
            bytes: bytes.to_owned(),
            sha256: None,
        };
        roles(&feed, &[file])
    }

    #[test]
    fn an_empty_file_is_refused_before_it_is_uploaded() {
        assert_eq!(announced("1").unwrap().len(), 1);
        let problem = announced("0").unwrap_err();
        assert_eq!((problem.code, problem.status), ("file_empty", 422));
        assert_eq!(problem.pointer.as_deref(), Some("/files/0/bytes"));
        assert!(
            problem.title.starts_with("the file `PO1.csv` is empty: "),
            "{}",
            problem.title
        );
    }
}
