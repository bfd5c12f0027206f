//! `interplant odoo prepare`: what an Odoo lacks before plants can be connected.

use std::process::ExitCode;

use clap::Subcommand;
use interplant_domain::identifier::ExternalId;
use interplant_odoo::{Client, Credentials, Limits};

use crate::{Failure, table};

/// Looks at an Odoo
#[derive(Debug, Subcommand)]
pub(crate) enum Odoo {
    /// Say what to set in Odoo; changes nothing unless told to
    Prepare {
        /// Create the location where goods wait for an inspection, beside stock: its external id, as in the plant's
        /// `hold_location`
        #[arg(long, num_args = 0..=1, default_missing_value = "interplant.location_quality_hold")]
        create_hold_location: Option<String>,
        /// External id of the stock location beside which it lies
        #[arg(long, default_value = "stock.stock_location_stock")]
        stock_location: String,
        /// Address of the server
        #[arg(long, env = "ODOO_URL")]
        url: String,
        /// Name of the database
        #[arg(long, env = "ODOO_DB")]
        db: String,
        /// Login of the integration user
        #[arg(long, env = "ODOO_LOGIN")]
        login: String,
        /// Its API key
        #[arg(long, env = "ODOO_API_KEY", hide_env_values = true)]
        api_key: String,
    },
}

impl Odoo {
    pub(crate) async fn run(self, json: bool) -> Result<ExitCode, Failure> {
        let Self::Prepare {
            create_hold_location,
            stock_location,
            url,
            db,
            login,
            api_key,
        } = self;
        let odoo = Client::connect(
            Credentials {
                url,
                db,
                login,
                api_key,
            },
            Limits::default(),
        )
        .await?;
        if let Some(hold) = create_hold_location {
            let place = |name: &str| ExternalId::configured(name.to_owned());
            let id = odoo
                .create_hold_location(&place(&hold), &place(&stock_location))
                .await?;
            if !json {
                println!("the location {hold} is there, with id {id}");
            }
        }
        let settings = odoo.wanted_settings().await?;
        let missing = settings.iter().filter(|setting| !setting.met).count();
        if json {
            let rows: Vec<_> = settings.iter().map(|setting| serde_json::json!({"name": setting.name, "is": setting.is, "should_be": setting.should_be, "how": setting.how, "met": setting.met})).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        } else {
            println!("Odoo {:?}", odoo.version());
            table::print(
                ["", "setting", "is", "should be", "what to do"],
                settings.iter().map(|setting| {
                    let how = if setting.met {
                        String::new()
                    } else {
                        setting.how.clone()
                    };
                    [
                        if setting.met { "ok" } else { "!" }.to_owned(),
                        setting.name.clone(),
                        setting.is.clone(),
                        setting.should_be.clone(),
                        how,
                    ]
                }),
            );
            println!(
                "{}",
                if missing == 0 {
                    "Nothing to do.".to_owned()
                } else {
                    format!("{missing} to do.")
                }
            );
        }
        Ok(if missing == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}
