//! A plant's webhook on this machine: keeps what comes, and answers as it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use interplant_runtime::webhook::{Headers, PlantKey, PlantKeys};
use jiff::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    pub(crate) fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether it is signed by a key, as the plant finds out.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let keys = PlantKeys {
            keys: vec![PlantKey {
                id: "ours".to_owned(),
                secret: Some(secret.to_owned()),
                public_key: None,
                not_after: None,
            }],
            webhook: Vec::new(),
        };
        let headers = Headers {
            id: self.id(),
            timestamp: &self.headers["webhook-timestamp"],
            signature: &self.headers["webhook-signature"],
        };
        keys.verify(headers, &[&self.body], Timestamp::now())
            .is_ok()
    }
}

/// The webhook.
pub(crate) struct Webhook {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
    answer: Arc<Mutex<String>>,
}

pub(crate) const TAKEN: &str = "204 No Content";
pub(crate) const AWAY: &str = "503 Service Unavailable\r\nretry-after: 1";
pub(crate) const GONE: &str = "410 Gone";

impl Webhook {
    pub(crate) async fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let webhook = Self {
            port: listener.local_addr().unwrap().port(),
            requests: Arc::default(),
            answer: Arc::new(Mutex::new(answer.to_owned())),
        };
        let (requests, answer) = (webhook.requests.clone(), webhook.answer.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (requests, answer) = (requests.clone(), answer.clone());
                tokio::spawn(async move { serve(stream, &requests, &answer).await });
            }
        });
        webhook
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/interplant", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on it answers so.
    pub(crate) fn answers(&self, answer: &str) {
        answer.clone_into(&mut self.answer.lock().unwrap());
    }

    /// What has come so far.
    pub(crate) fn came(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, requests: &Mutex<Vec<Request>>, answer: &Mutex<String>) {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    let request = loop {
        let count = stream.read(&mut buffer).await.unwrap_or(0);
        if count == 0 {
            return;
        }
        bytes.extend_from_slice(&buffer[..count]);
        if let Some(request) = whole(&bytes) {
            break request;
        }
    };
    requests.lock().unwrap().push(request);
    let head = answer.lock().unwrap().clone();
    let text = format!("HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    // Whoever was killed in between does not listen any more.
    drop(stream.write_all(text.as_bytes()).await);
}

/// The request, when all of it is there.
fn whole(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let headers: BTreeMap<String, String> = head
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers["content-length"].parse().unwrap();
    let body = &bytes[end + 4..];
    (body.len() == length).then(|| Request {
        headers,
        body: body.to_vec(),
    })
}
