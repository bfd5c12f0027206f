//! A new plant, from a file of it to facts that are taken in, by the commands that a person uses; and what a change of
//! it would make of what came.

use std::process::ExitCode;

use clap::Parser as _;
use interplant_cli::command::{Interplant, run};

use crate::setting::{beside_others, project};

/// Receipts of orders that never come: they are kept and wait.
fn extract(name: &str) -> String {
    let mut text =
        String::from("Bolla;Data Bolla;N. Ordine;Riga;Codice Articolo;Quantità Ricevuta;U.M.\n");
    for receipt in 1..=12 {
        for line in 1..=2 {
            text.push_str(&format!(
                "{name}-{receipt};{receipt:02}/03/2026;{name}-{receipt};{}0;A-{line};1.{receipt:03},5{line};{}\n",
                line,
                if receipt == 7 { "kg" } else { "KG" }
            ));
        }
    }
    text
}

async fn said(arguments: &[&str]) -> Result<ExitCode, String> {
    let local = project().join(".local/lifecycles");
    let local = local.to_str().unwrap();
    let words = [&["interplant", "--local", local], arguments].concat();
    run(Interplant::try_parse_from(words).unwrap())
        .await
        .map_err(|failure| failure.to_string())
}

#[test]
fn a_plant_that_nobody_has_described_is_brought_in_by_its_file_and_a_change_is_shown_before_it_is_published()
 {
    beside_others(async |world| {
        let name = uuid::Uuid::now_v7().simple().to_string();
        let code = format!("plant-{}", &name[20..]);
        let folder = project().join(".local/lifecycles/tools").join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("BOLLE_20260312.csv");
        std::fs::write(&file, extract(&name)).unwrap();
        let (plants, file) = (folder.join("plants"), file.to_str().unwrap());
        let pack = plants.join(&code);
        let pack = pack.to_str().unwrap();
        let new = [
            "plant",
            "new",
            &code,
            "--from",
            file,
            "--zone",
            "Europe/Rome",
            "--plants",
            plants.to_str().unwrap(),
        ];
        assert_eq!(said(&new).await, Ok(ExitCode::SUCCESS));
        // What is marked is to be settled first.
        assert_eq!(said(&["plant", "check", pack]).await, Ok(ExitCode::FAILURE));
        for file in ["plant.yaml", "feeds/goods-receipts.yaml"] {
            let path = plants.join(&code).join(file);
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("# ! ", "# ")).unwrap();
        }
        assert_eq!(said(&["plant", "check", pack]).await, Ok(ExitCode::SUCCESS));
        let unpublished = said(&["plant", "diff", pack]).await.unwrap_err();
        assert!(unpublished.contains("was never published"), "{unpublished}");
        assert_eq!(
            said(&["plant", "publish", pack, "--by", "tester"]).await,
            Ok(ExitCode::SUCCESS)
        );

        let deliver = [
            "deliver",
            "--plant",
            &code,
            "--feed",
            "goods-receipts",
            file,
        ];
        assert_eq!(said(&deliver).await, Ok(ExitCode::SUCCESS));
        let plant = code.parse().unwrap();
        let context = &world.cloud.context;
        let deliveries = context.files.deliveries(&plant, 5).await.unwrap();
        assert_eq!((deliveries.len(), deliveries[0].counts.accepted), (1, 12));

        // Nothing is changed by words, one fact by a unit that is not made one with another any more.
        assert_eq!(said(&["plant", "diff", pack]).await, Ok(ExitCode::SUCCESS));
        let feed = plants.join(&code).join("feeds/goods-receipts.yaml");
        let text = std::fs::read_to_string(&feed).unwrap();
        let unit = "$table(\"units\", `U.M.`, \"unit\")";
        assert!(text.contains(unit), "{text}");
        std::fs::write(&feed, text.replace(unit, "$trim(`U.M.`)")).unwrap();
        assert_eq!(said(&["plant", "diff", pack]).await, Ok(ExitCode::FAILURE));
        let hash = context.files.published(&plant).await.unwrap().unwrap();
        let against = ["plant", "diff", pack, "--against", &hash, "--last", "1"];
        assert_eq!(said(&against).await, Ok(ExitCode::FAILURE));

        // The sample has that unit, and the pack is refused until somebody has looked.
        let refused = said(&["plant", "publish", pack, "--by", "tester"])
            .await
            .unwrap_err();
        assert!(refused.contains("was not published"), "{refused}");
        assert_eq!(
            context.files.published(&plant).await.unwrap().as_ref(),
            Some(&hash)
        );
        assert_eq!(
            said(&["plant", "check", "--accept", pack]).await,
            Ok(ExitCode::SUCCESS)
        );
        assert_eq!(
            said(&["plant", "publish", pack, "--by", "tester"]).await,
            Ok(ExitCode::SUCCESS)
        );
        assert_ne!(context.files.published(&plant).await.unwrap(), Some(hash));
        assert_eq!(said(&["plant", "diff", pack]).await, Ok(ExitCode::SUCCESS));
    });
}
