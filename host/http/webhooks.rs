//! Webhooks for operators: endpoints, deliveries, dead letters.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use exthost_abi::Status;
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use crate::auth::{MANAGE, READ};
use crate::http::problem::Problem;
use crate::http::scoped::ScopedRoutes;
use crate::services::error::ServiceError;
use crate::services::webhooks::{DeliveryQuery, Webhooks};

/// Adds the routes over `webhooks`.
pub(super) fn routes(routes: ScopedRoutes, webhooks: &Arc<Webhooks>) -> ScopedRoutes {
    let endpoints = get(endpoints).with_state(webhooks.clone());
    let deliveries = get(deliveries).with_state(webhooks.clone());
    let replay = post(replay).with_state(webhooks.clone());
    let enable = post(enable).with_state(webhooks.clone());
    let enable_path = "/api/host/webhooks/endpoints/{name}/enable";
    routes
        .route(READ, "/api/host/webhooks", endpoints)
        .route(READ, "/api/host/webhooks/deliveries", deliveries)
        .route(MANAGE, "/api/host/webhooks/replay", replay)
        .route(MANAGE, enable_path, enable)
}

/// Which dead letters to deliver again: those of one message, or of one
/// endpoint.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Replay {
    Id(String),
    Endpoint(String),
}

async fn endpoints(State(webhooks): State<Arc<Webhooks>>) -> Response {
    let endpoints = off_the_runtime(webhooks, |webhooks| webhooks.endpoints()).await;
    answer(endpoints.map(|endpoints| json!({ "endpoints": endpoints })))
}

async fn deliveries(State(webhooks): State<Arc<Webhooks>>, RawQuery(query): RawQuery) -> Response {
    let query = match delivery_query(query.as_deref().unwrap_or_default()) {
        Ok(query) => query,
        Err(error) => return problem(&error).into_response(),
    };
    let deliveries = off_the_runtime(webhooks, |webhooks| webhooks.deliveries(query)).await;
    answer(deliveries.map(|deliveries| json!({ "deliveries": deliveries })))
}

async fn replay(
    State(webhooks): State<Arc<Webhooks>>,
    which: Result<Json<Replay>, JsonRejection>,
) -> Response {
    let which = match which {
        Ok(Json(which)) => which,
        Err(rejection) => {
            let detail = format!(
                "{}; send {{\"id\": ...}} or {{\"endpoint\": ...}} as application/json",
                rejection.body_text()
            );
            return Problem::new(rejection.status(), "invalid", detail).into_response();
        }
    };
    let replayed = off_the_runtime(webhooks, move |webhooks| match which {
        Replay::Id(id) => webhooks.replay_message(&id),
        Replay::Endpoint(name) => webhooks.replay_endpoint(&name),
    });
    answer(replayed.await.map(|count| json!({ "replayed": count })))
}

async fn enable(State(webhooks): State<Arc<Webhooks>>, Path(name): Path<String>) -> Response {
    let enabled = off_the_runtime(webhooks, move |webhooks| {
        webhooks.enable(&name)?;
        Ok(name)
    });
    answer(enabled.await.map(|name| json!({ "enabled": name })))
}

/// Runs what waits for the disk where it may.
async fn off_the_runtime<T: Send + 'static>(
    webhooks: Arc<Webhooks>,
    work: impl FnOnce(&Webhooks) -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    match tokio::task::spawn_blocking(move || work(&webhooks)).await {
        Ok(result) => result,
        Err(_) => Err(ServiceError::new(
            Status::INTERNAL,
            "internal",
            "the webhooks did not answer; the log has the reason",
        )),
    }
}

fn answer(result: Result<serde_json::Value, ServiceError>) -> Response {
    match result {
        Ok(value) => Json(value).into_response(),
        Err(error) => problem(&error).into_response(),
    }
}

/// Operators see the reason, whoever is at fault.
fn problem(error: &ServiceError) -> Problem {
    if !error.is_server_fault() {
        return Problem::of_handler(error);
    }
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        &error.code,
        &error.message,
    )
}

fn delivery_query(text: &str) -> Result<DeliveryQuery, ServiceError> {
    let mut query = DeliveryQuery::default();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
        match name {
            "endpoint" => query.endpoint = Some(value),
            "state" => query.state = Some(value),
            "plugin" => query.plugin = Some(value),
            "n" => query.n = Some(number(&value)?),
            name => {
                return Err(ServiceError::invalid(format!(
                    "there is no parameter `{}`; there are endpoint, state, plugin and n",
                    name.escape_debug()
                )));
            }
        }
    }
    Ok(query)
}

fn number(text: &str) -> Result<usize, ServiceError> {
    text.parse().map_err(|_| {
        ServiceError::invalid(format!(
            "`{}` is no number of deliveries; give one, as in n=50",
            text.escape_debug()
        ))
    })
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::Request;
    use http_body_util::BodyExt;
    use serde_json::Value;
    use tokio::runtime::Handle;
    use tower_service::Service;

    use super::*;
    use crate::auth::{AnyAuthenticator, Development};
    use crate::config::Endpoint;
    use crate::services::webhooks::{OutboxMessage, WebhookSettings};

    async fn ask(router: &axum::Router, method: &str, path: &str, body: &str) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = router.clone().call(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn code(answer: (u16, Value)) -> (u16, String) {
        (answer.0, answer.1["code"].as_str().unwrap().to_owned())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn operators_see_and_replay_dead_letters() {
        let data = tempfile::tempdir().unwrap();
        // Nothing listens there, and there is one attempt.
        let endpoint = Endpoint::new("http://127.0.0.1:1/?token=hidden")
            .named("a:1")
            .secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
            .allow("127.0.0.1");
        let settings = WebhookSettings {
            retries: Vec::new(),
            ..WebhookSettings::default()
        };
        let webhooks =
            Webhooks::open(data.path(), vec![endpoint], settings, &Handle::current()).unwrap();
        let message = OutboxMessage::new("notes", "note.created", "", Vec::new(), 0).unwrap();
        let id = message.id.clone();
        webhooks.accept(vec![message]).unwrap();
        let operators = ScopedRoutes::new(AnyAuthenticator::new(Development));
        let router = routes(operators, &webhooks).into_router();
        let dead = "/api/host/webhooks/deliveries?endpoint=a%3A1&state=dead&plugin=notes&n=5";
        let delivery = loop {
            let (status, list) = ask(&router, "GET", dead, "").await;
            assert_eq!(status, 200);
            if let Some(delivery) = list["deliveries"].get(0) {
                break delivery.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        };
        assert_eq!(delivery["id"], id);
        assert_eq!(delivery["attempts"][0]["number"], 1);

        let (_, list) = ask(&router, "GET", "/api/host/webhooks", "").await;
        assert_eq!(list["endpoints"][0]["name"], "a:1");
        assert_eq!(list["endpoints"][0]["dead"], 1);
        let shown = format!("{list}{delivery}");
        assert!(
            !shown.contains("hidden") && !shown.contains("C2FV"),
            "{shown}"
        );

        let replay = "/api/host/webhooks/replay";
        let body = format!("{{\"id\": \"{id}\"}}");
        let answer = ask(&router, "POST", replay, &body).await;
        assert_eq!(answer, (200, json!({ "replayed": 1 })));
        let answer = ask(&router, "POST", replay, "{\"id\": \"msg_x\"}").await;
        assert_eq!(code(answer), (404, "no-dead-letter".to_owned()));
        let answer = ask(&router, "POST", replay, "{\"endpoint\": \"b\"}").await;
        assert_eq!(code(answer), (404, "no-such-endpoint".to_owned()));
        let answer = ask(&router, "POST", replay, "{}").await;
        assert_eq!(code(answer), (400, "invalid".to_owned()));

        let path = "/api/host/webhooks/endpoints/a:1/enable";
        let answer = ask(&router, "POST", path, "").await;
        assert_eq!(answer, (200, json!({ "enabled": "a:1" })));
        let answer = ask(&router, "GET", "/api/host/webhooks/deliveries?x=1", "").await;
        assert_eq!(code(answer), (400, "invalid".to_owned()));
    }

    #[test]
    fn queries() {
        let query = delivery_query("endpoint=a%2Eb&n=3&&state=dead").unwrap();
        assert_eq!(query.endpoint.as_deref(), Some("a.b"));
        assert_eq!((query.n, query.plugin), (Some(3), None));
        for bad in ["n=x", "n=-1", "n", "nn=1"] {
            assert!(delivery_query(bad).is_err(), "{bad}");
        }
    }
}
