//! Files, as a plant delivers them: announced, uploaded, asked for.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::Failure;
use crate::api::Sender;

/// Announces files that a feed reads together and uploads each; the id to ask by.
///
/// # Errors
/// When the API refuses the announcement, or an upload does not succeed.
pub async fn deliver(sender: &Sender, feed: &str, files: &[PathBuf]) -> Result<String, Failure> {
    let mut announced = Vec::new();
    let mut contents = Vec::new();
    for path in files {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        announced.push(json!({"name": name, "bytes": bytes.len()}));
        contents.push(bytes);
    }
    let body = json!({"feed": feed, "files": announced}).to_string();
    let answer = sender
        .post_to("/v1/files", "application/json", body)
        .await?;
    if answer.status != 201 {
        return Err(format!(
            "the API refused the announcement with {}: {}",
            answer.status, answer.body
        )
        .into());
    }
    let uploads = answer.body.get("uploads").and_then(Value::as_array);
    for (upload, bytes) in uploads.into_iter().flatten().zip(contents) {
        let url = upload
            .get("url")
            .and_then(Value::as_str)
            .unwrap_or_default();
        sender.upload(url, bytes).await?;
    }
    let id = answer.body.get("id").and_then(Value::as_str);
    Ok(id.unwrap_or_default().to_owned())
}

/// Asks for a delivery until all of it was read.
///
/// # Errors
/// When the API does not answer as it should, or the time is over.
pub async fn settled(sender: &Sender, id: &str, within: Duration) -> Result<Value, Failure> {
    let ask = async {
        loop {
            let answer = sender.get(&format!("/v1/files/{id}")).await?;
            if answer.status != 200 {
                return Err(format!("{}: {}", answer.status, answer.body).into());
            }
            let state = answer.body.get("state").and_then(Value::as_str);
            if matches!(state, Some("done" | "refused")) {
                return Ok(answer.body);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(within, ask)
        .await
        .map_err(|_| Failure(format!("{id} was not read within {} s", within.as_secs())))?
}
