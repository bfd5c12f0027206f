//! Every way in which a call can fail, and what is known and done then.

use std::time::{Duration, Instant};

use interplant_domain::exception::Code;
use interplant_odoo::{
    Class, Client, Credentials, Error, Limits, Outcome, RefusedKind, Version, model,
};
use serde_json::json as value;

use crate::server::{KEY, QUICK, Say, Server, answer, connected, exception, html, json, result};

/// What one scripted answer makes of a harmless call.
async fn made_of(version: Version, say: Say) -> Error {
    let (client, _server) = connected(version, vec![say]).await;
    client
        .search_read(model::PARTNER, value!([]), &["name"])
        .await
        .unwrap_err()
}

fn is_unknown(error: &Error) -> bool {
    matches!(error, Error::OutcomeUnknown { .. })
        && error.outcome() == Outcome::Unknown
        && error.class() == Class::Retryable
}

fn is_configuration(error: &Error) -> bool {
    matches!(error, Error::Configuration { .. })
        && error.outcome() == Outcome::NoEffect
        && error.class() == Class::BusinessException(Code::OdooConfiguration)
}

fn is_caller(error: &Error) -> bool {
    matches!(error, Error::Caller { .. }) && error.class() == Class::Defect
}

#[tokio::test]
async fn what_never_left_had_no_effect() {
    let at = |url: String| Credentials {
        url,
        db: "works".into(),
        login: "interplant".into(),
        api_key: KEY.into(),
    };
    let silent = Server::start(vec![Say::Nothing]).await;
    for url in [
        "http://127.0.0.1:1".to_owned(),
        "http://nowhere.invalid".to_owned(),
        silent.url.replace("http:", "https:"),
    ] {
        let error = Client::probe(&at(url.clone()), &QUICK).await.unwrap_err();
        assert!(
            matches!(error, Error::Unreachable { .. }),
            "{url}: {error:?}"
        );
        assert_eq!(
            (error.outcome(), error.class()),
            (Outcome::NoEffect, Class::Retryable)
        );
        assert!(
            !error.to_string().contains("127.0.0.1"),
            "the address is not repeated: {error}"
        );
    }
}

#[tokio::test]
async fn what_left_and_was_not_answered_is_unknown() {
    for version in Version::ALL {
        for say in [
            Say::Nothing,
            Say::Bytes(Vec::new()),
            Say::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n[".to_vec()),
            Say::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        ] {
            let started = Instant::now();
            let error = made_of(version, say).await;
            assert!(is_unknown(&error), "{version:?}: {error:?}");
            assert!(started.elapsed() < Duration::from_secs(5));
        }
    }
}

#[tokio::test]
async fn an_answer_that_nobody_can_trust_is_unknown() {
    for version in Version::ALL {
        for say in [
            html(200),
            html(500),
            html(502),
            html(504),
            html(599),
            json(500, r#"{"message": "Internal server error"}"#),
            json(502, "{}"),
            json(200, ""),
            json(200, "[1,"),
            json(200, "NaN"),
            json(200, r#"{"a": 1, "a": 2}"#),
            json(200, &"[".repeat(1000)),
            answer(200, &[], "[]"),
            answer(200, &[("content-type", "application/jsonp")], "[]"),
            answer(
                200,
                &[("content-type", "application/json; charset=iso-8859-1")],
                "[]",
            ),
            answer(200, &[("content-type", "text/plain")], "[]"),
            answer(204, &[], ""),
        ] {
            let error = made_of(version, say).await;
            assert!(is_unknown(&error), "{version:?}: {error:?}");
        }
    }
    for body in [
        r#"{"jsonrpc": "2.0", "id": 2, "result": []}"#,
        "[]",
        r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": 200}}"#,
    ] {
        assert!(
            is_unknown(&made_of(Version::V18, json(200, body)).await),
            "{body}"
        );
    }
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_read() {
    for version in Version::ALL {
        let announced = made_of(version, json(200, &format!("[{}1]", "1,".repeat(40_000)))).await;
        assert!(
            is_unknown(&announced) && announced.to_string().contains("larger than"),
            "{announced:?}"
        );

        let (client, server) = connected(version, vec![Say::Endlessly]).await;
        let streamed = client
            .search_read(model::PARTNER, value!([]), &["name"])
            .await
            .unwrap_err();
        assert!(
            is_unknown(&streamed) && streamed.to_string().contains("larger than"),
            "{streamed:?}"
        );
        assert!(
            server.sent() < 16 << 20,
            "{} bytes were taken",
            server.sent()
        );
    }
}

#[tokio::test]
async fn a_busy_server_says_when_to_come_back() {
    for version in Version::ALL {
        for (status, headers, wait) in [
            (503, vec![("retry-after", "7")], Some(7)),
            (429, vec![("retry-after", "999999999")], Some(3600)),
            (
                503,
                vec![("retry-after", "Mon, 23 Nov 2026 07:00:00 GMT")],
                None,
            ),
            (429, vec![("content-type", "application/json")], None),
        ] {
            let error = made_of(version, answer(status, &headers, "{}")).await;
            let Error::Busy { retry_after, .. } = &error else {
                panic!("{error:?}")
            };
            assert_eq!(*retry_after, wait.map(Duration::from_secs));
            assert_eq!(
                (error.outcome(), error.class()),
                (Outcome::NoEffect, Class::Retryable)
            );
        }
        let lost = exception(
            version,
            500,
            "psycopg2.errors.SerializationFailure",
            "could not serialize access due to concurrent update",
        );
        assert!(matches!(
            made_of(version, lost).await,
            Error::Busy {
                retry_after: None,
                ..
            }
        ));
    }
}

#[tokio::test]
async fn a_wrong_set_up_is_named() {
    for version in Version::ALL {
        for say in [
            html(404),
            html(401),
            html(403),
            answer(302, &[("location", "http://127.0.0.1:1/elsewhere")], ""),
            exception(
                version,
                403,
                "odoo.exceptions.AccessError",
                "You are not allowed to access 'Contact' (res.partner) records.",
            ),
            exception(
                version,
                401,
                "odoo.exceptions.AccessDenied",
                "Access Denied",
            ),
            exception(
                version,
                401,
                "werkzeug.exceptions.Unauthorized",
                "Invalid apikey",
            ),
            exception(
                version,
                404,
                "werkzeug.exceptions.NotFound",
                "the model 'res.partner' does not exist",
            ),
            exception(
                version,
                422,
                "odoo.exceptions.UserError",
                "Object res.partner doesn't exist",
            ),
            exception(
                version,
                500,
                "builtins.AttributeError",
                "The method 'search_read' does not exist on the model 'res.partner'",
            ),
            exception(
                version,
                500,
                "psycopg2.OperationalError",
                "FATAL:  database \"works\" does not exist\n",
            ),
        ] {
            let error = made_of(version, say).await;
            assert!(is_configuration(&error), "{version:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_refusal_that_odoo_does_not_explain_comes_from_something_in_between() {
    for version in Version::ALL {
        for say in [html(400), html(415), html(418)] {
            let error = made_of(version, say).await;
            assert!(is_configuration(&error), "{version:?}: {error:?}");
        }
    }
}

#[tokio::test]
async fn our_own_mistakes_are_defects() {
    for version in Version::ALL {
        for say in [
            exception(
                version,
                500,
                "builtins.ValueError",
                "Invalid field 'nme' on 'res.partner'",
            ),
            exception(version, 500, "builtins.KeyError", "nme"),
            exception(
                version,
                422,
                "werkzeug.exceptions.UnprocessableEntity",
                "missing a required argument: 'domain'",
            ),
            exception(
                version,
                400,
                "werkzeug.exceptions.BadRequest",
                "could not parse the body as json",
            ),
        ] {
            let error = made_of(version, say).await;
            assert!(is_caller(&error), "{version:?}: {error:?}");
        }
        let (client, server) = connected(version, Vec::new()).await;
        for model in ["res.partner/../x", "ir.actions.server", "", "res.users?x=1"] {
            assert!(
                is_caller(
                    &client
                        .search_read(model, value!([]), &["name"])
                        .await
                        .unwrap_err()
                ),
                "{model}"
            );
        }
        assert!(is_caller(
            &client
                .load(model::PARTNER, &["name"], vec![vec!["Acme".into()]])
                .await
                .unwrap_err()
        ));
        let calls = if version == Version::V19 { 2 } else { 3 };
        assert_eq!(server.asked().len(), calls, "none of it was sent");
    }
}

#[tokio::test]
async fn a_refusal_keeps_odoos_words() {
    for version in Version::ALL {
        let kind = |error: &Error| {
            if let Error::Refused { kind, .. } = error {
                Some(*kind)
            } else {
                None
            }
        };
        let missing = made_of(
            version,
            exception(
                version,
                404,
                "odoo.exceptions.MissingError",
                "Record does not exist or has been deleted.",
            ),
        )
        .await;
        assert_eq!(kind(&missing), Some(RefusedKind::RecordMissing));
        let rounding = "The quantity done for the product Bolt doesn't respect the rounding precision defined on the unit of measure Units.";
        let precision = made_of(
            version,
            exception(version, 422, "odoo.exceptions.UserError", rounding),
        )
        .await;
        assert_eq!(
            precision.class(),
            Class::BusinessException(Code::AmountPrecision)
        );
        let other = made_of(
            version,
            exception(
                version,
                422,
                "odoo.exceptions.ValidationError",
                "No journal\u{1b}[2J\nfor you",
            ),
        )
        .await;
        assert_eq!(kind(&other), Some(RefusedKind::Other));
        assert_eq!(
            other.to_string(),
            "Odoo refused: No journal\\u{1b}[2J\\nfor you"
        );
        let long = made_of(
            version,
            exception(
                version,
                422,
                "odoo.exceptions.UserError",
                &"x".repeat(50_000),
            ),
        )
        .await;
        assert!(long.to_string().chars().count() < 450);
    }
}

#[tokio::test]
async fn a_key_that_odoo_repeats_is_not_passed_on() {
    for version in Version::ALL {
        for name in [
            "odoo.exceptions.UserError",
            "odoo.exceptions.AccessDenied",
            "builtins.ValueError",
            "psycopg2.OperationalError",
        ] {
            let error = made_of(
                version,
                exception(version, 422, name, &format!("no such key: {KEY}")),
            )
            .await;
            assert!(!format!("{error} {error:?}").contains(KEY), "{error:?}");
        }
        let (client, _server) = connected(version, Vec::new()).await;
        assert!(!format!("{client:?}").contains(KEY));
    }
}

#[tokio::test]
async fn sound_json_of_another_kind_is_not_believed() {
    for version in Version::ALL {
        for (body, call) in [
            ("{}", "list"),
            ("true", "list"),
            (r#"[{"id": 1, "name": 5}]"#, "order"),
            (r#"[{"id": "1"}]"#, "order"),
            ("7", "order"),
        ] {
            let (client, _server) = connected(version, vec![result(version, body)]).await;
            let error = match call {
                "list" => client
                    .search_read(model::PARTNER, value!([]), &["name"])
                    .await
                    .unwrap_err(),
                _ => client.order(1).await.unwrap_err(),
            };
            assert!(
                matches!(error, Error::Unexpected { .. }),
                "{body}: {error:?}"
            );
            assert_eq!(
                (error.outcome(), error.class()),
                (
                    Outcome::Unknown,
                    Class::BusinessException(Code::OdooConfiguration)
                )
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_is_too_old_or_not_odoo_is_refused() {
    let info = |first: &str| {
        json(
            200,
            &format!(
                r#"{{"jsonrpc": "2.0", "id": null, "result": {{"server_version_info": [{first}, 0]}}}}"#
            ),
        )
    };
    for script in [
        vec![info("16")],
        vec![info("\"saas~18\"")],
        vec![html(404), html(404)],
        vec![html(404), json(200, "{}")],
    ] {
        let server = Server::start(script).await;
        let error = Client::probe(&server.credentials(), &Limits::default())
            .await
            .unwrap_err();
        assert!(is_configuration(&error), "{error:?}");
    }
    let later = Server::start(vec![
        html(404),
        json(
            200,
            r#"{"version_info": [21, 0, 0, "final", 0, ""], "version": "21.0"}"#,
        ),
    ])
    .await;
    assert_eq!(
        Client::probe(&later.credentials(), &QUICK).await.unwrap(),
        Version::V19
    );
    assert!(
        later.asked()[1].head.starts_with("GET /web/version "),
        "{:?}",
        later.asked()
    );
}

#[tokio::test]
async fn a_wrong_login_is_a_matter_of_configuration() {
    let info = json(
        200,
        r#"{"jsonrpc": "2.0", "id": null, "result": {"server_version_info": [18, 0]}}"#,
    );
    let server = Server::start(vec![info, result(Version::V18, "false")]).await;
    assert!(is_configuration(
        &Client::connect(server.credentials(), QUICK)
            .await
            .unwrap_err()
    ));
}
