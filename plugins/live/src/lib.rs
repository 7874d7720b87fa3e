//! A page that shows what plugins broadcast, as it happens: notes as they come and
//! go, the time, and an echo.
#![forbid(unsafe_code)]

use exthost_plugin::prelude::*;

struct Live;

impl Plugin for Live {
    fn init(router: &mut Router, _: &Services) -> Result<Self> {
        router.get("", || Html(include_str!("live.html"))).public();
        Ok(Live)
    }
}

export_plugin!(Live);
