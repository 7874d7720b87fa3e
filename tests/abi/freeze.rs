//! What was released may not change; what was not must say when it came.

use exthost_abi::Version;

use super::lock::{Brought, Constant, Lock, Meta, Row, Type};
use super::source::Source;

/// The last API 1.N that was released: what it and those before it brought is
/// frozen. A release raises it; nothing lowers it.
pub(super) const RELEASED: u32 = 0;

/// What the lock is compared with.
pub(super) struct Published<'a> {
    /// The lock file.
    pub lock: Lock,
    /// [`RELEASED`].
    pub released: u32,
    /// The keys and fingerprints that the crate was compiled with: what is
    /// missing in the lock file was taken out of it by hand.
    pub fingerprints: &'a [(&'a str, &'a str)],
}

impl Published<'_> {
    /// The lock that follows from the source, unless it breaks a promise.
    ///
    /// # Errors
    /// One sentence for the author, which says what to do instead.
    pub(super) fn follow(&self, source: &Source, api: Version, meta: Meta) -> Result<Lock, String> {
        self.whole()?;
        dated(source)?;
        let now = Lock::of(source, meta);
        self.rows_stay(&now)?;
        self.constants_stay(&now)?;
        self.meta_stays(&now.meta)?;
        self.nothing_came_late(&now)?;
        self.is_counted(&now, api)?;
        Ok(now)
    }

    /// What the released versions brought.
    fn frozen<'a>(&self, lock: &'a Lock) -> impl Iterator<Item = &'a Brought> + use<'a> {
        lock.versions.iter().take(self.released as usize + 1)
    }

    /// Whether nobody edited the lock file.
    fn whole(&self) -> Result<(), String> {
        for row in &self.lock.tables {
            if row.fingerprint != row.hash() {
                return Err(format!(
                    "{}: the row was edited by hand; restore {}",
                    row.key(),
                    super::LOCK
                ));
            }
        }
        let drafts = self.lock.versions.iter().skip(self.released as usize + 1);
        let drafts: Vec<_> = drafts.flat_map(|version| &version.tables).collect();
        for (key, fingerprint) in self.fingerprints {
            let row = self.lock.keyed(key);
            let same = row.is_some_and(|row| row.fingerprint == *fingerprint);
            if !same && !drafts.iter().any(|draft| *draft == key) {
                return Err(format!(
                    "{key}: {} knows it with the fingerprint {fingerprint}, {} does not; restore \
                     both",
                    super::FINGERPRINTS,
                    super::LOCK
                ));
            }
        }
        Ok(())
    }

    fn rows_stay(&self, now: &Lock) -> Result<(), String> {
        for key in self.frozen(&self.lock).flat_map(|version| &version.tables) {
            let Some(row) = self.lock.keyed(key) else {
                return Err(format!("{key}: its row is gone; restore {}", super::LOCK));
            };
            match now.keyed(key) {
                Some(same) if same == row => {}
                changed => return Err(changed_row(row, changed, self.released)),
            }
        }
        Ok(())
    }

    fn constants_stay(&self, now: &Lock) -> Result<(), String> {
        let joined = |lock| -> Vec<&Constant> {
            let joined = self.frozen(lock).flat_map(|version| &version.constants);
            joined.collect()
        };
        let later = joined(now);
        let groups = [
            (joined(&self.lock), &later),
            (self.lock.data.iter().collect(), &now.data.iter().collect()),
        ];
        for (published, now) in groups {
            if let Some(gone) = published
                .into_iter()
                .find(|constant| !now.contains(constant))
            {
                return Err(format!(
                    "the published constant {} = {} has changed or is gone; plugins in the field \
                     have its value in them. Put it back, and give what you need a new name",
                    gone.name, gone.value
                ));
            }
        }
        Ok(())
    }

    fn meta_stays(&self, now: &Meta) -> Result<(), String> {
        let published = &self.lock.meta;
        let same = now.constants == published.constants && now.required == published.required;
        let known = |key: &&String| !now.optional.contains(key);
        match published.optional.iter().find(known) {
            Some(key) => Err(format!(
                "the meta's key {key} is gone; plugins in the field have it"
            )),
            None if same => Ok(()),
            None => Err(
                "the form of the meta has changed: its symbols, sections, sizes or the keys that \
                 must be there; every plugin in the field has the old one. A new key may be \
                 optional"
                    .to_owned(),
            ),
        }
    }

    /// Whether nothing new says that a released version brought it.
    fn nothing_came_late(&self, now: &Lock) -> Result<(), String> {
        let known = self.frozen(&self.lock);
        let tables: Vec<_> = known.flat_map(|version| &version.tables).collect();
        let known = self.frozen(&self.lock);
        let constants: Vec<_> = known.flat_map(|version| &version.constants).collect();
        for version in self.frozen(now) {
            let mut new = version.tables.iter().filter(|key| !tables.contains(key));
            let joined = version.constants.iter();
            let mut joined = joined.filter(|constant| !constants.contains(constant));
            let name = new
                .next()
                .or_else(|| joined.next().map(|joined| &joined.name));
            if let Some(name) = name {
                return Err(late(name, &version.api, self.released));
            }
        }
        let data = |constant: &&Constant| !self.lock.data.contains(constant);
        match now.data.iter().find(data) {
            Some(new) => Err(late(&new.name, "1.0", self.released)),
            None => Ok(()),
        }
    }

    /// Whether `API_VERSION` is that of the newest thing, and at most one above
    /// what was released.
    fn is_counted(&self, now: &Lock, api: Version) -> Result<(), String> {
        let newest = now.versions.len() as u32 - 1;
        let next = self.released + 1;
        let name = |version: &Brought| -> String {
            let constant = version.constants.first();
            let constant = constant.map(|constant| constant.name.clone());
            let named = version.tables.first().cloned().or(constant);
            named.unwrap_or_default()
        };
        if newest > next {
            let name = name(&now.versions[newest as usize]);
            return Err(format!(
                "{name} says \"Since: API 1.{newest}\", but API 1.{} is the last that was \
                 released, so what is new is of API 1.{next}",
                self.released
            ));
        }
        if (api.major, api.minor) == (1, newest) {
            return Ok(());
        }
        let said = format!("{}.{}.{}", api.major, api.minor, api.patch);
        let name = name(&now.versions[newest as usize]);
        Err(format!(
            "API_VERSION in plugin-api/abi/src/lib.rs is {said}, but the newest of all tables and \
             constants, {name}, says \"Since: API 1.{newest}\"; both must be the same"
        ))
    }
}

/// Whether each slot came with its table.
fn dated(source: &Source) -> Result<(), String> {
    let tables = source.items().filter(|(_, item)| item.table().is_some());
    for (_, item) in tables {
        if let Some((slot, minor)) = item.misdated() {
            return Err(format!(
                "{}.{slot} says \"Since: API 1.{minor}\", its table \"Since: API 1.{}\"; a table \
                 comes with all its slots, and a further one is a new table under a new revision",
                item.name,
                item.since()
            ));
        }
    }
    Ok(())
}

fn changed_row(row: &Row, now: Option<&Row>, released: u32) -> String {
    let name = &row.types[0].name;
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let how = match now {
        Some(now) => {
            let same = |ty: &&Type| now.types.contains(ty);
            let changed = row.types.iter().find(|ty| !same(ty));
            let changed = changed.map_or("its constants", |ty| &ty.name);
            format!("has changed, in {changed}")
        }
        None => "is gone".to_owned(),
    };
    format!(
        "the published table {} {how}; plugins in the field were built against it. Put it back as \
         it was, and add what you need as a new table under a new id or revision (`pub struct \
         {name}{}` in the same module, with \"Since: API 1.{}\"). Constants of a set that may grow \
         say \"Since: API 1.{2}\" themselves",
        row.key(),
        row.revision + 1,
        released + 1,
    )
}

fn late(name: &str, api: &str, released: u32) -> String {
    format!(
        "{name} is new, but says that it came with API {api}, which was released without it; say \
         \"Since: API 1.{}\", and let API_VERSION say so",
        released + 1
    )
}
