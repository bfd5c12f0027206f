//! The outbox: what a plant is told, whether it asks for it or has it sent, whatever breaks in between.

use interplant_cli::api::Sender;
use interplant_cli::plants::read_plant;
use interplant_cli::world::World;
use interplant_domain::exception::Code;
use interplant_domain::identifier::{LifecycleId, PlantCode};
use interplant_domain::outbox::{Entry, State};
use interplant_domain::plant::{Plant, Webhook as WebhookSettings};
use interplant_runtime::outbox::{Offer, Offered, Shelf, put};
use interplant_runtime::store::Store;
use serde_json::{Value, json};

use crate::setting::{alone, beside_others, failpoints, project, until};
use crate::webhook::{AWAY, GONE, TAKEN, Webhook};

/// The key of a plant of these tests, and the one by which it is told.
const KEY: &str = "whsec_cGxhbnRzIG93biBrZXk=";
const SECRET: &str = "whsec_dGhlIHdheSBvdXQ=";

/// A plant of a test alone, with an outbox of its own.
pub(crate) struct TestPlant<'w> {
    pub(crate) world: &'w World,
    pub(crate) code: PlantCode,
    pub(crate) plant: Plant,
    pub(crate) sender: Sender,
}

impl<'w> TestPlant<'w> {
    pub(crate) async fn new(world: &'w World, name: &str, url: Option<String>) -> Self {
        let code: PlantCode = format!("out-{name}").parse().unwrap();
        let mut plant = read_plant(&project().join("plants/plant-b")).unwrap();
        plant.plant = code.clone();
        plant.outbox.webhook = url.map(|url| WebhookSettings {
            url,
            secret: "out".to_owned(),
            events: Default::default(),
        });
        let context = &world.cloud.context;
        let secret = json!({"keys": [{"id": "in", "secret": KEY}], "webhook": [{"id": "out", "secret": SECRET}]});
        context
            .secrets
            .write(&format!("plants/{code}"), &secret.to_string())
            .await
            .unwrap();
        context.plants.publish(&plant).await.unwrap();
        let sender = Sender::new(&world.cloud.ready.api, &code, KEY).unwrap();
        Self {
            world,
            code,
            plant,
            sender,
        }
    }

    pub(crate) fn document(&self, number: &str) -> String {
        format!("po/{}/{number}", self.code)
    }

    fn offer(&self, number: &str, version: u64) -> Offer {
        Offer {
            plant: self.code.clone(),
            document: self.document(number),
            kind: "interplant.po.changed.v1".to_owned(),
            version,
            event: json!({"specversion": "1.0", "type": "interplant.po.changed.v1", "data": {"poNumber": number, "version": version.to_string()}}),
            causation: None,
        }
    }

    async fn offers(&self, number: &str, version: u64) -> Offered {
        let outbox = &self.world.cloud.context.outbox;
        outbox.offer(&self.offer(number, version)).await.unwrap()
    }

    /// Sets the sweeper going, which else the schedule does once a minute.
    pub(crate) async fn tick(&self) {
        let queues = &self.world.cloud.context.queues;
        queues.tick(std::time::Duration::ZERO).await.unwrap();
    }

    async fn entry(&self, position: u64) -> Entry {
        let table = &self.world.cloud.context.outbox.table;
        table.entry(&self.code, position).await.unwrap().unwrap()
    }

    async fn until_it_is(&self, position: u64, state: State) -> Entry {
        until(&format!("entry {position} is {state:?}"), async || {
            self.entry(position).await.state == state
        })
        .await;
        self.entry(position).await
    }

    pub(crate) async fn asks(&self, query: &str) -> Value {
        let answer = self
            .sender
            .get(&format!("/v1/outbox{query}"))
            .await
            .unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    async fn says(&self, body: &Value) -> interplant_cli::api::Answer {
        let path = "/v1/outbox/acknowledgements";
        self.sender
            .post_to(path, "application/json", body.to_string())
            .await
            .unwrap()
    }

    /// Codes of the open exceptions of a lifecycle.
    pub(crate) async fn exceptions(&self, id: &str) -> Vec<Code> {
        let id: LifecycleId = id.parse().unwrap();
        let lifecycle = self.world.cloud.context.store.load(&id).await.unwrap();
        let open = lifecycle.map(|lifecycle| lifecycle.exceptions);
        let open = open.unwrap_or_default();
        open.iter().map(|raised| raised.exception.code).collect()
    }
}

pub(crate) fn positions(answer: &Value) -> Vec<u64> {
    let entries = answer["entries"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| entry["position"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_plant_asks_for_what_it_is_to_be_told_until_it_has_acknowledged_it() {
    beside_others(async |world| {
        let plant = TestPlant::new(world, "pull", None).await;
        let other = TestPlant::new(world, "pull-other", None).await;
        for number in ["1", "2", "3"] {
            plant.offers(number, 1).await;
        }
        other.offers("9", 1).await;
        assert_eq!(plant.offers("2", 2).await, Offered::New { position: 4 });

        let first = plant.asks("?limit=2").await;
        // Version 1 of order 2 is obsolete, so it is not told.
        assert_eq!(positions(&first), [1, 3]);
        assert_eq!((&first["next"], &first["more"]), (&json!(3), &json!(true)));
        assert_eq!(
            first["entries"][0]["document"],
            plant.document("1").as_str()
        );
        assert_eq!(first["entries"][0]["event"]["data"]["poNumber"], "1");
        assert_eq!(
            first["entries"][0]["event"]["id"],
            first["entries"][0]["event_id"]
        );
        let rest = plant.asks("?after=3").await;
        assert_eq!(positions(&rest), [4]);
        assert_eq!(rest["more"], false);
        assert_eq!(positions(&other.asks("").await), [1]);

        let said = plant.says(&json!({"positions": [1, 2, 77]})).await;
        assert_eq!(said.status, 200, "{}", said.body);
        assert_eq!(
            said.body["acknowledgements"],
            json!([{"position": 1, "state": "applied"}, {"position": 2, "state": "obsolete"}, {"position": 77, "state": "unknown"}])
        );
        assert_eq!(positions(&plant.asks("").await), [3, 4]);

        let refusal = json!({"entries": [{"position": 3, "status": "refused", "reason": "item 0815 is unknown"}, {"position": 1}]});
        for _ in 0..2 {
            let said = plant.says(&refusal).await;
            assert_eq!(
                said.body["acknowledgements"],
                json!([{"position": 3, "state": "refused"}, {"position": 1, "state": "applied"}])
            );
        }
        assert_eq!(
            plant.exceptions(&plant.document("3")).await,
            [Code::OrderRefusedByPlant]
        );
        let said = plant.says(&json!({"upTo": 4})).await;
        assert_eq!(said.body["more"], false, "{}", said.body);
        assert_eq!(positions(&plant.asks("").await), [] as [u64; 0]);
        assert_eq!(
            positions(&other.asks("").await),
            [1],
            "the other's are there"
        );

        // What was refused is told again when a person wants it so.
        let outbox = &world.cloud.context.outbox;
        let again = outbox.send_again(&plant.code, &plant.document("3")).await;
        assert_eq!(again.unwrap().map(|entry| entry.position), Some(3));
        assert_eq!(positions(&plant.asks("").await), [3]);
    });
}

#[test]
fn what_is_no_acknowledgement_gets_a_clear_answer() {
    beside_others(async |world| {
        let plant = TestPlant::new(world, "said", None).await;
        plant.offers("1", 1).await;
        for (body, code, pointer) in [
            (json!({}), "invalid_value", ""),
            (json!({"positions": [1], "upTo": 1}), "invalid_value", ""),
            (
                json!({"positions": ["one"]}),
                "invalid_number",
                "/positions/0",
            ),
            (
                json!({"positions": [1], "status": "refused"}),
                "invalid_value",
                "/reason",
            ),
            (
                json!({"positions": [1], "reason": "no"}),
                "invalid_value",
                "/reason",
            ),
            (
                json!({"positions": [1], "status": "maybe"}),
                "invalid_value",
                "",
            ),
            (
                json!({"upTo": 1, "status": "refused", "reason": "no"}),
                "invalid_value",
                "/upTo",
            ),
            (
                json!({"entries": [{"position": 1, "status": "refused"}]}),
                "invalid_value",
                "/entries/0/reason",
            ),
            (
                json!({"positions": vec![1; 101]}),
                "invalid_value",
                "/positions",
            ),
        ] {
            let said = plant.says(&body).await;
            assert_eq!(
                (
                    said.status,
                    said.body["code"].as_str(),
                    said.body["pointer"].as_str()
                ),
                (422, Some(code), Some(pointer)),
                "{body}: {}",
                said.body
            );
        }
        for query in ["?after=x", "?after=-1", "?limit=0", "?limit=101"] {
            let answer = plant
                .sender
                .get(&format!("/v1/outbox{query}"))
                .await
                .unwrap();
            assert_eq!(answer.status, 400, "{query}: {}", answer.body);
        }
        let wrong = Sender::new(&world.cloud.ready.api, &plant.code, SECRET).unwrap();
        // A key that we sign by opens no door.
        assert_eq!(wrong.get("/v1/outbox").await.unwrap().status, 401);
        assert_eq!(positions(&plant.asks("").await), [1], "nothing was settled");
    });
}

#[test]
fn a_webhook_that_is_away_at_first_is_told_once_it_is_back_and_knows_who_signed() {
    beside_others(async |world| {
        let webhook = Webhook::start(AWAY).await;
        let plant = TestPlant::new(world, "push", Some(webhook.url())).await;
        plant.offers("1", 1).await;
        until("two attempts", async || webhook.came().len() >= 2).await;
        webhook.answers(TAKEN);
        let entry = plant.until_it_is(1, State::Delivered).await;
        let came = webhook.came();
        assert!(came.iter().all(|request| request.is_signed_by(SECRET)));
        assert!(came.iter().all(|request| request.id() == entry.event_id));
        assert_eq!(came.last().unwrap().event(), entry.event);
        assert_eq!(
            came.last().unwrap().headers["content-type"],
            "application/cloudevents+json"
        );
        assert_eq!(entry.attempts as usize, came.len() - 1);
        assert_eq!(positions(&plant.asks("").await), [] as [u64; 0]);
        // What comes next comes alone.
        plant.offers("2", 1).await;
        plant.until_it_is(2, State::Delivered).await;
        assert_eq!(webhook.came().len(), came.len() + 1);
    });
}

#[test]
fn an_older_version_that_was_not_sent_is_obsolete_and_the_newest_alone_is_told() {
    beside_others(async |world| {
        let webhook = Webhook::start(AWAY).await;
        let plant = TestPlant::new(world, "newest", Some(webhook.url())).await;
        plant.offers("1", 1).await;
        until("an attempt", async || !webhook.came().is_empty()).await;
        plant.offers("1", 3).await;
        assert_eq!(
            plant.offers("1", 2).await,
            Offered::Obsolete {
                version: 3,
                position: 2
            }
        );
        webhook.answers(TAKEN);
        plant.until_it_is(2, State::Delivered).await;
        // Unless version 1 was under way when it became obsolete, and the plant has taken it.
        let first = plant.entry(1).await.state;
        let told: Vec<Value> = webhook
            .came()
            .iter()
            .map(|request| request.event())
            .collect();
        assert_eq!(told.last().unwrap()["data"]["version"], "3");
        assert!(
            matches!(first, State::Obsolete { by: 2 } | State::Delivered),
            "{first:?}"
        );
        assert_eq!(plant.offers("1", 3).await, Offered::Same { position: 2 });
    });
}

#[test]
fn what_nobody_was_told_of_is_found_by_the_sweeper() {
    beside_others(async |world| {
        let webhook = Webhook::start(TAKEN).await;
        let plant = TestPlant::new(world, "lost", Some(webhook.url())).await;
        // As an offerer that dies before it sends the message.
        let table = &world.cloud.context.outbox.table;
        let now = world.cloud.context.now();
        put(table, &plant.offer("1", 1), now).await.unwrap();
        plant.tick().await;
        plant.until_it_is(1, State::Delivered).await;
        assert_eq!(webhook.came().len(), 1);
    });
}

#[test]
fn a_webhook_that_is_gone_is_left_alone_until_it_is_published_anew() {
    beside_others(async |world| {
        let webhook = Webhook::start(GONE).await;
        let mut plant = TestPlant::new(world, "gone", Some(webhook.url())).await;
        plant.offers("1", 1).await;
        let place = format!("outbox/{}/webhook", plant.code);
        until("people are told", async || {
            plant.exceptions(&place).await == [Code::WebhookStopped]
        })
        .await;
        let table = &world.cloud.context.outbox.table;
        until("nothing is to be sent", async || {
            table.stopped(&plant.code).await.unwrap().is_some()
                && table.work(&plant.code).await.unwrap().wake_at.is_none()
        })
        .await;
        assert_eq!(webhook.came().len(), 1);
        plant.offers("2", 1).await;
        until("the offer was looked at", async || {
            table.work(&plant.code).await.unwrap().wake_at.is_none()
        })
        .await;
        assert_eq!(webhook.came().len(), 1, "it was left alone");
        assert_eq!(
            positions(&plant.asks("").await),
            [1, 2],
            "what waits is there"
        );

        let back = Webhook::start(TAKEN).await;
        if let Some(settings) = &mut plant.plant.outbox.webhook {
            settings.url = back.url();
        }
        let context = &world.cloud.context;
        context.plants.publish(&plant.plant).await.unwrap();
        context.outbox.resume(&plant.code).await.unwrap();
        plant.until_it_is(1, State::Delivered).await;
        plant.until_it_is(2, State::Delivered).await;
        assert_eq!(back.came().len(), 2);
    });
}

#[test]
fn an_address_inside_is_not_connected_to_whoever_has_published_it() {
    beside_others(async |world| {
        let webhook = Webhook::start(TAKEN).await;
        for (name, url) in [
            ("name", format!("http://localhost:{}/", webhook.port())),
            ("secure", format!("https://127.0.0.1:{}/", webhook.port())),
            ("octal", format!("http://0177.0.0.1:{}/", webhook.port())),
        ] {
            let plant = TestPlant::new(world, name, Some(url)).await;
            plant.offers("1", 1).await;
            let place = format!("outbox/{}/webhook", plant.code);
            until("people are told", async || {
                plant.exceptions(&place).await == [Code::WebhookStopped]
            })
            .await;
            let table = &world.cloud.context.outbox.table;
            let stopped = table.stopped(&plant.code).await.unwrap().unwrap();
            assert!(stopped.note.starts_with("target_forbidden"), "{stopped:?}");
            assert_eq!(plant.entry(1).await.state, State::Waiting);
        }
        assert!(webhook.came().is_empty());
    });
}

#[test]
fn a_sender_that_dies_after_the_plant_has_taken_it_sends_the_same_id_again() {
    alone(async |world| {
        let webhook = Webhook::start(TAKEN).await;
        let plant = TestPlant::new(world, "killed", Some(webhook.url())).await;
        std::fs::write(failpoints().join("outbox.after_post"), "").unwrap();
        plant.offers("1", 1).await;
        plant.tick().await;
        plant.until_it_is(1, State::Delivered).await;
        let ids: Vec<String> = webhook
            .came()
            .iter()
            .map(|request| request.id().to_owned())
            .collect();
        assert_eq!(ids.len(), 2, "{ids:?}");
        assert_eq!(ids[0], ids[1]);
        assert!(!failpoints().join("outbox.after_post").exists());
    });
}

#[test]
fn an_offer_whose_offerer_dies_is_one_entry_however_often_it_is_repeated() {
    beside_others(async |world| {
        let plant = TestPlant::new(world, "twice", None).await;
        let offers = (0..8).map(|_| plant.offers("1", 1));
        let mut new = 0;
        for offered in futures_of(offers).await {
            match offered {
                Offered::New { position } => {
                    assert_eq!(position, 1);
                    new += 1;
                }
                Offered::Same { position } => assert_eq!(position, 1),
                Offered::Obsolete { .. } => panic!("{offered:?}"),
            }
        }
        assert_eq!(new, 1);
        assert_eq!(positions(&plant.asks("").await), [1]);
        // Many documents at once get positions without a gap.
        let numbers: Vec<String> = (10..30).map(|number| number.to_string()).collect();
        futures_of(numbers.iter().map(|number| plant.offers(number, 1))).await;
        let expected: Vec<u64> = (1..=21).collect();
        assert_eq!(positions(&plant.asks("").await), expected);
    });
}

/// All at once.
async fn futures_of<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(Box::pin).map(Some).collect();
    let mut results = Vec::new();
    std::future::poll_fn(|context| {
        for slot in &mut waiting {
            if let Some(future) = slot
                && let std::task::Poll::Ready(result) = future.as_mut().poll(context)
            {
                results.push(result);
                *slot = None;
            }
        }
        if waiting.iter().all(Option::is_none) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    results
}
