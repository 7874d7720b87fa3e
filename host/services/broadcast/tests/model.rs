//! The hub beside a model that forgets nothing, over many random steps.

#![allow(clippy::print_stdout, reason = "a failure tells its seed")]

use std::collections::BTreeMap;

use super::*;

/// What was ever published: the channel of each id, and its number there.
#[derive(Default)]
struct Model(Vec<(String, u64)>);

impl Model {
    /// How many messages of a channel there are up to an id.
    fn count(&self, channel: &str, up_to: u64) -> u64 {
        let ids = self.0.iter().take(up_to as usize).rev();
        let last = ids.into_iter().find(|(name, _)| name == channel);
        last.map_or(0, |(_, sequence)| *sequence)
    }

    fn last(&self) -> u64 {
        self.0.len() as u64
    }
}

/// A client, and what it has been told of each of its channels.
struct Reader {
    client: Client,
    patterns: Patterns,
    /// The last number told or told lost, by channel.
    told: BTreeMap<String, u64>,
    /// The last id.
    id: u64,
}

/// What all readers were told.
#[derive(Debug, Default)]
struct Told {
    messages: u64,
    gaps: u64,
    lost: u64,
    unknown: u64,
}

impl Reader {
    fn new(broadcast: &Arc<Broadcast>, model: &Model, texts: &[&str], since: Option<u64>) -> Self {
        let since = since.map(|id| broadcast.id(id));
        let client = broadcast.connect(patterns(texts), since.as_deref());
        let mut reader = Reader {
            client: client.unwrap(),
            patterns: patterns(texts),
            told: BTreeMap::new(),
            id: 0,
        };
        reader.begin(model);
        reader
    }

    /// Has been told all up to the client's position.
    fn begin(&mut self, model: &Model) {
        let position = self.client.position();
        self.id = position.rsplit_once('-').unwrap().1.parse().unwrap();
        self.told.clear();
        for (channel, _) in &model.0 {
            if !self.told.contains_key(channel) {
                let count = model.count(channel, self.id);
                self.told.insert(channel.clone(), count);
            }
        }
    }

    /// Listens to others: what it already heard goes on, and the rest begins.
    fn listen_to(&mut self, model: &Model, texts: &[&str]) {
        self.client.listen_to(patterns(texts));
        for (channel, _) in &model.0 {
            if !self.listens_to(channel) {
                let count = model.count(channel, model.last());
                self.told.insert(channel.clone(), count);
            }
        }
        self.patterns = patterns(texts);
    }

    fn listens_to(&self, channel: &str) -> bool {
        let (owner, name) = channel.split_once('/').unwrap();
        self.patterns.matches(owner, name)
    }

    /// Reads once, and compares what it is told with the model.
    fn read(&mut self, model: &Model, all: &mut Told) {
        let Some(items) = read(&mut self.client) else {
            for (channel, _) in &model.0 {
                let told = self.told.get(channel).copied().unwrap_or(0);
                let expected = model.count(channel, model.last());
                assert!(!self.listens_to(channel) || told == expected, "{channel}");
            }
            return;
        };
        let messages = items.iter().filter(|it| matches!(it, Item::Message(_)));
        assert!(messages.count() <= small().batch_messages);
        for item in items {
            match item {
                Item::Message(message) => {
                    let json = json(&message);
                    let (channel, sequence) = &model.0[message.id as usize - 1];
                    assert_eq!(json["channel"], **channel);
                    assert_eq!(json["sequence"], *sequence);
                    assert!(message.id > self.id, "{} {}", message.id, self.id);
                    self.id = message.id;
                    assert_eq!(self.tell(channel, 1), *sequence, "{channel}");
                    all.messages += 1;
                }
                Item::Gap(Gap {
                    id,
                    channel: Some(channel),
                    lost: Some(lost),
                }) => {
                    assert!(lost > 0 && id >= self.id, "{lost} {id} {}", self.id);
                    self.tell(&channel, lost);
                    all.gaps += 1;
                    all.lost += lost;
                }
                Item::Gap(gap) => {
                    assert_eq!(
                        (gap.id, &gap.channel, gap.lost),
                        (model.last(), &None, None)
                    );
                    assert!(model.last() - self.id > small().journal_entries as u64);
                    self.begin(model);
                    all.unknown += 1;
                }
            }
        }
    }

    /// Has been told of so many more messages of a channel; returns how many that
    /// makes.
    fn tell(&mut self, channel: &str, count: u64) -> u64 {
        assert!(self.listens_to(channel));
        let told = self.told.entry(channel.to_owned()).or_default();
        *told += count;
        *told
    }
}

const OWNERS: [&str; 3] = ["a", "b", "c"];

const WANTED: [&[&str]; 6] = [
    &["a/>"],
    &["*/>"],
    &["*/1", "b/*"],
    &["c/2", "c/3"],
    &["b/0"],
    &["d/>"],
];

#[test]
fn each_message_is_told_or_told_lost() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let broadcast = Broadcast::with_bounds(100, small());
    let (mut model, mut told) = (Model::default(), Told::default());
    let mut readers: Vec<Reader> = WANTED
        .iter()
        .map(|texts| Reader::new(&broadcast, &model, texts, None))
        .collect();
    for _ in 0..10_000 {
        let at = random.usize(..readers.len());
        match random.u32(..100) {
            // Some channels are quiet, and some messages large.
            0..60 => {
                let owner = OWNERS[random.usize(..3)];
                let channel = random.u32(..4).min(random.u32(..40)).to_string();
                let payload = "x".repeat(random.usize(..600) / random.usize(1..100));
                let sequence = broadcast.publish(&name(owner), &channel, "", &payload);
                model
                    .0
                    .push((format!("{owner}/{channel}"), sequence.unwrap()));
                check_bounds(&broadcast);
            }
            // The first ones keep up, the others stand still for a while.
            60..90 => {
                let reader = match random.u32(..50) {
                    0 => at,
                    _ => at / 3,
                };
                wake(&broadcast);
                readers[reader].read(&model, &mut told);
            }
            // Comes back, having missed the last that it was told.
            90..97 => {
                let since = readers[at].id.saturating_sub(random.u64(..5) / 4);
                let texts = WANTED[random.usize(..WANTED.len())];
                readers[at] = Reader::new(&broadcast, &model, texts, Some(since));
            }
            _ => {
                let texts = WANTED[random.usize(..WANTED.len())];
                readers[at].listen_to(&model, texts);
            }
        }
    }
    for reader in &mut readers {
        for _ in 0..100 {
            wake(&broadcast);
            reader.read(&model, &mut told);
        }
        assert!(read(&mut reader.client).is_none());
    }
    let Told {
        messages,
        gaps,
        lost,
        unknown,
    } = told;
    assert!(
        messages > 100 && gaps > 10 && lost > gaps && unknown > 0,
        "{told:?}"
    );
}

fn check_bounds(broadcast: &Broadcast) {
    let channels = broadcast.status().channels;
    for channel in &channels {
        assert!(channel.retained <= small().ring_messages, "{channel:?}");
        assert!(channel.bytes <= small().ring_bytes, "{channel:?}");
    }
    for owner in OWNERS {
        let its = channels.iter().filter(|it| it.name.starts_with(owner));
        let bytes: usize = its.map(|channel| channel.bytes).sum();
        assert!(bytes <= small().owner_bytes, "{owner}: {bytes}");
    }
}
