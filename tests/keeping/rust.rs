//! Every call of the SDK's keys and values, cache and record, in both forms.

use std::time::Duration;

use exthost::testing::TestHost;
use exthost_plugin::kv;
use exthost_plugin::prelude::*;

struct Keeper {
    kv: Kv,
    db: Db,
    cache: Cache,
    audit: Audit,
}

impl Plugin for Keeper {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        router.post("wait", wait);
        router.post("complete", complete);
        router.post("cache", cache);
        router.get("left", left);
        Ok(Keeper {
            kv: services.kv(),
            db: services.db(),
            cache: services.cache(),
            audit: services.audit(),
        })
    }
}

export_plugin!(
    Keeper,
    embedded,
    name = "keeper",
    version = "1.0.0",
    needs = [routes, db, kv, cache, audit]
);

const MINUTE: Duration = Duration::from_secs(60);

/// Walks through every call; `$end` is `.await` or `.wait()`, and `$begin` what ends a
/// transaction's beginning.
macro_rules! walk {
    ($keeper:expr, $call:ident) => {{
        let Keeper { kv, db, audit, .. } = &*$keeper;
        $call!(kv.flush(""))?;
        assert_eq!($call!(kv.get::<String>("name"))?, None);
        $call!(kv.set("name", "Ada"))?;
        assert_eq!($call!(kv.get("name"))?, Some("Ada".to_owned()));
        assert_eq!($call!(kv.get_bytes("name"))?, Some(b"\"Ada\"".to_vec()));
        $call!(kv.set_bytes("raw", &[0, 255][..]))?;
        assert_eq!($call!(kv.get_bytes("raw"))?, Some(vec![0, 255]));
        let not_json = $call!(kv.get::<String>("raw")).unwrap_err();
        assert_eq!(not_json.status(), StatusCode::INTERNAL_SERVER_ERROR);
        $call!(kv.set_for("soon", &[1, 2], MINUTE))?;
        let soon = $call!(kv.entry("soon"))?.unwrap();
        assert!(
            soon.ttl
                .is_some_and(|ttl| ttl > Duration::ZERO && ttl <= MINUTE)
        );
        assert_eq!(soon.json::<Vec<u8>>()?, [1, 2]);
        $call!(kv.expire("soon", None))?;
        assert_eq!($call!(kv.entry("soon"))?.unwrap().ttl, None);
        let missing = $call!(kv.expire("none", Some(MINUTE))).unwrap_err();
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);

        let many = $call!(kv.get_many::<String>(["none", "name", "none", "name"]))?;
        let ada = || Some("Ada".to_owned());
        assert_eq!(many, [None, ada(), None, ada()]);
        assert_eq!($call!(kv.set_if("name", "Bob", Some("Eve")))?, false);
        assert_eq!($call!(kv.set_if("name", "Bob", None))?, false);
        assert_eq!($call!(kv.set_if("name", "Bob", Some("Ada")))?, true);
        assert_eq!($call!(kv.set_if("other", "Eve", None))?, true);
        assert_eq!($call!(kv.delete("other"))?, true);
        assert_eq!($call!(kv.delete("other"))?, false);

        assert_eq!($call!(kv.add("n:1", 3))?, 3);
        assert_eq!($call!(kv.add_for("n:1", -5, MINUTE))?, -2);
        assert_eq!($call!(kv.entry("n:1"))?.unwrap().ttl, None);
        assert_eq!($call!(kv.add_for("n:2", 1, MINUTE))?, 1);
        assert!($call!(kv.entry("n:2"))?.unwrap().ttl.is_some());
        let words = $call!(kv.add("name", 1)).unwrap_err();
        assert_eq!(
            (words.status(), words.code()),
            (StatusCode::CONFLICT, "kv-not-a-number")
        );

        let first = $call!(kv.list("n:").limit(1).values::<i64>())?;
        assert_eq!(
            (first.items, first.next.as_deref()),
            (vec![-2], Some("n:1"))
        );
        let second = $call!(kv.list("n:").after("n:1").limit(1).keys())?;
        assert_eq!((second.items, second.next), (vec!["n:2".to_owned()], None));
        let all = $call!(kv.list("").entries())?;
        let keys: Vec<&str> = all.items.iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["n:1", "n:2", "name", "raw", "soon"]);

        let writes = [
            kv::set("a", &1).if_absent(),
            kv::delete("none").if_present(),
        ];
        let refused = $call!(kv.write(writes)).unwrap_err();
        assert_eq!(
            (refused.status(), refused.code()),
            (StatusCode::CONFLICT, "kv-condition")
        );
        assert_eq!(refused.detail().unwrap()["key"], "none");
        let writes = [
            kv::set("a", &1).if_absent().ttl(MINUTE),
            kv::set("n:2", &2).keep_ttl().if_equal(&1),
            kv::delete("raw").if_equal_bytes(&[0, 255][..]),
            kv::set_bytes("b", &b"2"[..]),
        ];
        assert_eq!($call!(kv.write(writes))?, 4);
        assert_eq!($call!(kv.flush("n:"))?, 2);

        let tx = $call!(db.begin())?;
        $call!(tx.kv().set("a", &2))?;
        $call!(tx.record("thing.undone", "thing", 1, &()))?;
        assert_eq!($call!(tx.kv().get("a"))?, Some(2));
        assert_eq!($call!(kv.get("a"))?, Some(1));
        let beside = $call!(kv.set("a", &3)).unwrap_err();
        assert_eq!(beside.code(), "own-transaction-open");
        $call!(tx.rollback())?;
        assert_eq!($call!(kv.get("a"))?, Some(1));
        $call!(audit.record("thing.done", "thing", "7", &["how"]))?;
        let unnamed = $call!(audit.record("", "thing", "7", &())).unwrap_err();
        assert_eq!(unnamed.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let empty = $call!(kv.set("", &1)).unwrap_err();
        assert_eq!(empty.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let long = $call!(kv.set(&"k".repeat(1025), &1)).unwrap_err();
        assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
        Ok(StatusCode::NO_CONTENT)
    }};
}

macro_rules! by_waiting {
    ($call:expr) => {
        $call.wait()
    };
}

macro_rules! by_awaiting {
    ($call:expr) => {
        $call.await
    };
}

fn wait(keeper: State<Keeper>) -> Result<StatusCode> {
    walk!(keeper, by_waiting)
}

async fn complete(keeper: State<Keeper>) -> Result<StatusCode> {
    walk!(keeper, by_awaiting)
}

async fn cache(keeper: State<Keeper>) -> Result<StatusCode> {
    let cache = keeper.cache;
    cache.flush("")?;
    assert_eq!(cache.get::<i64>("a")?, None);
    cache.set("a", &7)?;
    cache.set_for("b", "soon", MINUTE)?;
    assert_eq!(
        (cache.get("a")?, cache.get_bytes("b")?),
        (Some(7), Some(b"\"soon\"".to_vec()))
    );
    assert!(cache.entry("b")?.unwrap().ttl.is_some());
    assert_eq!(cache.add("a", 1)?, 8);
    assert_eq!(cache.add_for("c", 1, MINUTE)?, 1);
    cache.expire("b", None)?;
    assert_eq!(cache.entry("b")?.unwrap().ttl, None);
    assert_eq!(
        cache.expire("none", None).unwrap_err().status(),
        StatusCode::NOT_FOUND
    );
    let refused = cache.write([kv::set("a", &1).if_absent()]).unwrap_err();
    assert_eq!(
        (refused.status(), refused.code()),
        (StatusCode::CONFLICT, "cache-condition")
    );
    assert_eq!((cache.delete("a")?, cache.delete("a")?), (true, false));
    assert_eq!(cache.flush("")?, 2);
    cache.set_for("d", &1, MINUTE)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether what was to last for a minute is there, kept and cached.
async fn left(keeper: State<Keeper>) -> Result<Json<(bool, bool)>> {
    let kept = keeper.kv.get::<i64>("a").await?.is_some();
    Ok(Json((kept, keeper.cache.get::<i64>("d")?.is_some())))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_does_the_same_awaited_and_waited_for() {
    let host = TestHost::of(Keeper::embedded()).await;
    for way in ["wait", "complete", "cache", "wait", "complete"] {
        let walked = host.post(way, &()).await;
        assert_eq!(walked.status(), 204, "{way}: {}", walked.text());
    }
}

#[tokio::test]
async fn values_outlive_a_reload_and_time_ends_them() {
    let host = TestHost::of(Keeper::embedded()).await;
    assert_eq!(host.post("wait", &()).await.status(), 204);
    assert_eq!(host.post("cache", &()).await.status(), 204);
    host.reload("keeper").await.unwrap();
    assert_eq!(host.get("left").await.json::<(bool, bool)>(), (true, true));
    host.advance(MINUTE * 2);
    assert_eq!(
        host.get("left").await.json::<(bool, bool)>(),
        (false, false)
    );
}
