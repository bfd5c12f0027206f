//! Files that were delivered, brought to this machine.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use interplant_domain::identifier::PlantCode;
use interplant_runtime::Context;
use interplant_runtime::files::{Delivery, DeliveryState};

use super::Files;
use crate::Failure;

/// A folder that only this user reads; it goes when it is done with.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Result<Self, Failure> {
        let name = format!("interplant-diff-{}", uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// How many records are looked at for each delivery that is wanted: some brought nothing.
const LOOKED_AT: usize = 5;

/// The last deliveries that were read.
pub(super) async fn fetch(
    context: &Context,
    plant: &PlantCode,
    last: usize,
    folder: &Folder,
) -> Result<Vec<Files>, Failure> {
    let most = i32::try_from(last.saturating_mul(LOOKED_AT).min(1000)).unwrap_or(1000);
    let deliveries = context.files.deliveries(plant, most).await?;
    let read = deliveries.into_iter().filter(was_read).take(last);
    let mut all = Vec::new();
    for delivery in read {
        let to = folder.0.join(&delivery.id);
        std::fs::create_dir(&to)?;
        for file in &delivery.files {
            // A name of the plant's leads nowhere else.
            let name = file.name.replace(['/', '\\'], "_");
            context
                .files
                .download(&delivery, file, &to.join(name))
                .await?;
        }
        all.push(Files {
            name: delivery.id.clone(),
            folder: to,
            feed: Some(delivery.feed.clone()),
        });
    }
    Ok(all)
}

fn was_read(delivery: &Delivery) -> bool {
    let whole = matches!(delivery.state, DeliveryState::Done | DeliveryState::Refused);
    whole && delivery.same_as.is_none() && delivery.files.iter().all(|file| file.version.is_some())
}
