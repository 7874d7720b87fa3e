//! Short links: kept in keys and values, counted, looked up from memory, and on record.
#![forbid(unsafe_code)]

use std::time::Duration;

use exthost_plugin::kv;
use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

struct Links {
    kv: Kv,
    cache: Cache,
    audit: Audit,
}

impl Plugin for Links {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        router.get("links", list);
        router.put("links/{code}", create);
        router.delete("links/{code}", delete);
        router.get("go/{code}", follow).public();
        Ok(Links {
            kv: services.kv(),
            cache: services.cache(),
            audit: services.audit(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Target {
    url: String,
    /// How long the link lives; for ever unless it is given.
    days: Option<u64>,
}

#[derive(Serialize)]
struct Link {
    code: String,
    url: String,
    followed: i64,
}

/// 409 when the code is taken.
async fn create(
    links: State<Links>,
    Path(code): Path<String>,
    Json(target): Json<Target>,
) -> Result<StatusCode> {
    let key = target_key(&code);
    let mut write = kv::set(&key, &target.url).if_absent();
    if let Some(days) = target.days {
        write = write.ttl(Duration::from_secs(days.saturating_mul(24 * 60 * 60)));
    }
    links.kv.write([write]).await?;
    links
        .audit
        .record("link.created", "link", &code, &target)
        .await?;
    Ok(StatusCode::CREATED)
}

/// The redirect is answered from memory for a minute, and counted in any case.
async fn follow(links: State<Links>, Path(code): Path<String>) -> Result<Redirect> {
    let key = target_key(&code);
    let url = match links.cache.get::<String>(&key)? {
        Some(url) => url,
        None => {
            let url = links.kv.get::<String>(&key).await?;
            let url = url.ok_or_else(|| Error::not_found("no such link"))?;
            links.cache.set_for(&key, &url, Duration::from_secs(60))?;
            url
        }
    };
    links.kv.add(&followed_key(&code), 1).await?;
    Ok(Redirect::temporary(&url))
}

/// The first thousand.
async fn list(links: State<Links>) -> Result<Json<Vec<Link>>> {
    let page = links.kv.list(TARGETS).entries().await?;
    let mut all = Vec::with_capacity(page.items.len());
    for entry in page.items {
        let code = entry.key[TARGETS.len()..].to_owned();
        let followed = links.kv.get(&followed_key(&code)).await?.unwrap_or(0);
        all.push(Link {
            url: entry.json()?,
            code,
            followed,
        });
    }
    Ok(Json(all))
}

/// The link and its count, or neither.
async fn delete(links: State<Links>, Path(code): Path<String>) -> Result<StatusCode> {
    let (target, followed) = (target_key(&code), followed_key(&code));
    let removed = links
        .kv
        .write([kv::delete(&target), kv::delete(&followed)])
        .await?;
    if removed == 0 {
        return Err(Error::not_found("no such link"));
    }
    links.cache.delete(&target)?;
    links
        .audit
        .record("link.deleted", "link", &code, &())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

const TARGETS: &str = "target:";

fn target_key(code: &str) -> String {
    format!("{TARGETS}{code}")
}

fn followed_key(code: &str) -> String {
    format!("followed:{code}")
}

export_plugin!(Links, needs = [routes, kv, cache, audit]);

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn a_link_is_followed_counted_and_deleted() {
        let host = TestHost::of(Links::embedded()).await;
        let target = json!({"url": "https://example.com/long"});
        assert_eq!(host.put("links/ex", &target).await.status(), 201);
        let taken = host.put("links/ex", &target).await;
        assert_eq!(taken.status(), 409);
        for _ in 0..3 {
            let response = host.get("go/ex").await;
            assert_eq!(response.status(), 307);
            assert_eq!(
                response.header("location"),
                Some("https://example.com/long")
            );
        }
        host.reload("links").await.unwrap();
        let listed: Value = host.get("links").await.json();
        let link = json!({"code": "ex", "url": "https://example.com/long", "followed": 3});
        assert_eq!(listed, json!([link]));
        assert_eq!(host.delete("links/ex").await.status(), 204);
        assert_eq!(host.get("go/ex").await.status(), 404);
        assert_eq!(host.delete("links/ex").await.status(), 404);
    }
}
