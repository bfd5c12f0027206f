//! A small HTTP client: one connection per request, as the server wants it. It sees resets and cut bodies.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use interplant_odoo_sandbox::{Sandbox, Version};
use serde_json::{Value as Json, json};

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) content: String,
    pub(crate) text: String,
}

impl Response {
    pub(crate) fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|_| Json::String(self.text.clone()))
    }
}

/// Sends a request and reads the answer to its end.
pub(crate) fn request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> io::Result<Response> {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address)?;
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| io::Error::new(io::ErrorKind::UnexpectedEof, "closed without an answer"))?;
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or_default();
    let content = head
        .lines()
        .find_map(|line| line.strip_prefix("content-type: "))
        .unwrap_or_default()
        .to_owned();
    Ok(Response {
        status,
        content,
        text: body.to_owned(),
    })
}

pub(crate) fn post(
    url: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Json,
) -> io::Result<Response> {
    let mut headers = headers.to_vec();
    headers.push(("Content-Type", "application/json"));
    request(url, "POST", path, &headers, &body.to_string())
}

/// What Odoo raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raised {
    pub(crate) name: String,
    pub(crate) message: String,
}

/// A user of a sandbox: calls by name, whatever the version speaks.
pub(crate) struct Client {
    pub(crate) url: String,
    version: Version,
    database: String,
    key: String,
    user: i64,
}

impl Client {
    pub(crate) fn integration(sandbox: &Sandbox) -> Self {
        Self::new(sandbox, sandbox.api_key(), 3)
    }

    pub(crate) fn admin(sandbox: &Sandbox) -> Self {
        Self::new(sandbox, sandbox.admin_key(), 2)
    }

    fn new(sandbox: &Sandbox, key: &str, user: i64) -> Self {
        Self {
            url: sandbox.url(),
            version: sandbox.version(),
            database: sandbox.database().to_owned(),
            key: key.to_owned(),
            user,
        }
    }

    /// Sends a call; the transport may break.
    pub(crate) fn send(&self, model: &str, method: &str, args: &Json) -> io::Result<Response> {
        if self.version == Version::V19 {
            let bearer = format!("bearer {}", self.key);
            return post(
                &self.url,
                &format!("/json/2/{model}/{method}"),
                &[("Authorization", &bearer)],
                args,
            );
        }
        let mut named = args.as_object().cloned().unwrap_or_default();
        let mut positional: Vec<Json> = named.remove("ids").into_iter().collect();
        for name in ["vals_list", "vals"] {
            if matches!(method, "create" | "write") {
                positional.extend(named.remove(name));
            }
        }
        if matches!(method, "web_save" | "web_read") && positional.is_empty() {
            positional.push(json!([]));
        }
        let args = json!([
            self.database,
            self.user,
            self.key,
            model,
            method,
            positional,
            named
        ]);
        let body = json!({"jsonrpc": "2.0", "method": "call", "id": 1, "params": {"service": "object", "method": "execute_kw", "args": args}});
        post(&self.url, "/jsonrpc", &[], &body)
    }

    /// Sends a call and takes the answer apart.
    pub(crate) fn call(&self, model: &str, method: &str, args: Json) -> Result<Json, Raised> {
        outcome(
            &self
                .send(model, method, &args)
                .expect("the sandbox answers"),
        )
    }

    /// A call that has to go well.
    pub(crate) fn ok(&self, model: &str, method: &str, args: Json) -> Json {
        self.call(model, method, args)
            .unwrap_or_else(|raised| panic!("{model}.{method}: {raised:?}"))
    }

    /// A call that has to be refused.
    pub(crate) fn refused(&self, model: &str, method: &str, args: Json) -> Raised {
        self.call(model, method, args)
            .expect_err("the call is refused")
    }
}

/// The result or the exception in an answer of either transport.
pub(crate) fn outcome(response: &Response) -> Result<Json, Raised> {
    let body = response.json();
    let raised = |error: &Json| Raised {
        name: error["name"].as_str().unwrap_or_default().to_owned(),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
    };
    if body.get("jsonrpc").is_some() {
        return match body.get("error") {
            Some(error) => Err(raised(&error["data"])),
            None => Ok(body.get("result").cloned().unwrap_or_default()),
        };
    }
    if response.status == 200 {
        Ok(body)
    } else {
        Err(raised(&body))
    }
}
