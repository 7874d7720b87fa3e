//! The states that handlers of events take.

use exthost_abi::Status;

use super::super::*;
use crate::export::door;
use crate::export::fake::Fake;
use crate::{Plugin, Router, Services, State, log};

/// Subscribes in `init`, before there is a plugin.
struct Early;

impl Plugin for Early {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        services.events().on(
            "a",
            |_: Event<Raw>, _: State<Early>, word: State<&'static str>| {
                log::info(*word.0);
            },
        )?;
        router.state("shared");
        Ok(Early)
    }
}

#[test]
fn a_handler_takes_the_plugin_and_what_it_shares() {
    let (fake, _) = Fake::host(door::<Early>());
    fake.take();
    assert_eq!(fake.deliver("a", "", b"1"), Status::OK);
    assert_eq!(fake.take(), ["log 3 cause 88: shared"]);
    fake.release();
}

struct Stateless;

impl Plugin for Stateless {
    fn init(_: &mut Router, services: &Services) -> Result<Self> {
        services
            .events()
            .on("a.b", |_: Event<Raw>, _: State<u32>| ())?;
        Ok(Stateless)
    }
}

#[test]
fn a_state_that_is_not_there_fails_init() {
    let (fake, _) = Fake::host(door::<Stateless>());
    let seen = fake.take();
    assert!(
        seen[1].contains("subscription to a.b: its handler takes State<u32>"),
        "{seen:?}"
    );
    assert_eq!(seen[2], "init Status(12 internal)");
    fake.release();
}

/// Subscribes when it starts.
struct Late(Services);

impl Plugin for Late {
    fn init(_: &mut Router, services: &Services) -> Result<Self> {
        Ok(Late(*services))
    }

    fn start(&self) -> Result<()> {
        self.0
            .events()
            .on("a", |_: Event<Raw>, _: State<Late>| ())?;
        self.0
            .events()
            .on("b", |_: Event<Raw>, _: State<u32>| ())
            .map(drop)
    }
}

#[test]
fn after_init_it_fails_the_subscription() {
    let (fake, instance) = Fake::host(door::<Late>());
    fake.take();
    assert_eq!(fake.start(door::<Late>(), instance), Status::INTERNAL);
    let seen = fake.take();
    assert_eq!(fake.patterns(), ["a"]);
    assert!(seen.last().unwrap().contains("State<u32>"), "{seen:?}");
    assert_eq!(fake.deliver("a", "", b"1"), Status::OK);
    fake.destroy(door::<Late>(), instance);
    // A host that calls after all the same is told, and nothing is touched.
    assert_eq!(fake.deliver("a", "", b"1"), Status::BUSY);
    fake.release();
}
