//! A server that says what a test wrote down, one connection after the other, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use interplant_domain::json::{self, Json};
use interplant_odoo::{Client, Credentials, Limits, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// What the server does with one connection, after it read the request.
pub(crate) enum Say {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Keeps the connection open and says nothing.
    Nothing,
    /// Sends chunks for as long as they are taken.
    Endlessly,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn json(&self) -> Json {
        json::parse(self.body.as_bytes()).unwrap()
    }
}

pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    sent: Arc<Mutex<usize>>,
}

impl Server {
    pub(crate) async fn start(script: Vec<Say>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, sent) = (Arc::default(), Arc::default());
        let server = Self {
            url,
            asked: Arc::clone(&asked),
            sent: Arc::clone(&sent),
        };
        tokio::spawn(async move {
            for say in script {
                let (stream, _) = listener.accept().await.unwrap();
                let (asked, sent) = (Arc::clone(&asked), Arc::clone(&sent));
                serve(stream, say, &asked, &sent).await;
            }
        });
        server
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Bytes that an endless answer could place.
    pub(crate) fn sent(&self) -> usize {
        *self.sent.lock().unwrap()
    }

    pub(crate) fn credentials(&self) -> Credentials {
        Credentials {
            url: self.url.clone(),
            db: "works".into(),
            login: "interplant".into(),
            api_key: KEY.into(),
        }
    }
}

async fn serve(mut stream: TcpStream, say: Say, asked: &Mutex<Vec<Asked>>, sent: &Mutex<usize>) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    let (head, body) = loop {
        let read = stream.read(&mut piece).await.unwrap_or(0);
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let whole = text
            .split_once("\r\n\r\n")
            .filter(|(head, body)| body.len() >= announced(head));
        match whole {
            Some((head, body)) => break (head.to_owned(), body.to_owned()),
            // Something that is not HTTP, such as the first bytes of TLS.
            None if read == 0 || !request.is_ascii() => return,
            None => {}
        }
    };
    asked.lock().unwrap().push(Asked { head, body });
    match say {
        Say::Bytes(bytes) => {
            // Whoever has had enough of an answer closes; that is not this server's business.
            let _closed = stream.write_all(&bytes).await;
        }
        Say::Nothing => {
            let _closed = stream.read(&mut piece).await;
        }
        Say::Endlessly => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
            let chunk = format!("1000\r\n{}\r\n", "[".repeat(0x1000));
            let mut taken = stream.write_all(head).await;
            while taken.is_ok() {
                taken = stream.write_all(chunk.as_bytes()).await;
                *sent.lock().unwrap() += chunk.len();
            }
        }
    }
}

fn announced(head: &str) -> usize {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = lines.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    lengths
        .next()
        .map_or(0, |(_, value)| value.trim().parse().unwrap())
}

/// An answer with any status, headers and body.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Say {
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    Say::Bytes(
        format!(
            "HTTP/1.1 {status} X\r\n{lines}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
    )
}

pub(crate) fn json(status: u16, body: &str) -> Say {
    answer(
        status,
        &[("content-type", "application/json; charset=utf-8")],
        body,
    )
}

pub(crate) fn html(status: u16) -> Say {
    answer(
        status,
        &[("content-type", "text/html; charset=utf-8")],
        "<!DOCTYPE html>\n<h1>Something</h1>",
    )
}

/// A result, as the version wraps it.
pub(crate) fn result(version: Version, value: &str) -> Say {
    match version {
        Version::V19 => json(200, value),
        Version::V17 | Version::V18 => json(
            200,
            &format!(r#"{{"jsonrpc": "2.0", "id": 1, "result": {value}}}"#),
        ),
    }
}

/// An exception that Odoo names, as the version wraps it.
pub(crate) fn exception(version: Version, status: u16, name: &str, message: &str) -> Say {
    let message = Json::String(message.to_owned());
    let named = format!(
        r#"{{"name": "{name}", "message": {message}, "arguments": [{message}], "context": {{}}, "debug": "Traceback"}}"#
    );
    match version {
        Version::V19 => json(status, &named),
        Version::V17 | Version::V18 => json(
            200,
            &format!(
                r#"{{"jsonrpc": "2.0", "id": 1, "error": {{"code": 200, "message": "Odoo Server Error", "data": {named}}}}}"#
            ),
        ),
    }
}

pub(crate) const QUICK: Limits = Limits {
    connect: Duration::from_millis(500),
    answer: Duration::from_millis(500),
    answer_bytes: 64 << 10,
};

/// A client of this version, and a server that goes on with the script.
pub(crate) async fn connected(version: Version, script: Vec<Say>) -> (Client, Server) {
    let major = match version {
        Version::V17 => 17,
        Version::V18 => 18,
        Version::V19 => 19,
    };
    let mut whole = vec![json(
        200,
        &format!(
            r#"{{"jsonrpc": "2.0", "id": null, "result": {{"server_version_info": [{major}, 0, 0, "final", 0, ""]}}}}"#
        ),
    )];
    let price = match version {
        Version::V17 | Version::V18 => {
            whole.push(result(version, "7"));
            "[16, 6]"
        }
        Version::V19 => "false",
    };
    whole.push(result(
        version,
        &format!(
            r#"{{"price_unit": {{"digits": {price}}}, "product_qty": {{"digits": [16, 3]}}}}"#
        ),
    ));
    whole.extend(script);
    let server = Server::start(whole).await;
    let client = Client::connect(server.credentials(), QUICK).await.unwrap();
    (client, server)
}
