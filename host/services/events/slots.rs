//! Values under ids of which none is ever used twice.

/// A table of values; an id holds the place in its lower half and how often that
/// place was taken in its upper.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Slots {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }
}

impl<T> Slots<T> {
    /// Stores a value under a new id, which is never 0.
    pub(super) fn insert(&mut self, value: T) -> u64 {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push((1, None));
            (self.slots.len() - 1) as u32
        });
        let (round, place) = &mut self.slots[at as usize];
        *place = Some(value);
        u64::from(*round) << 32 | u64::from(at)
    }

    /// The value of `id`.
    pub(super) fn find(&mut self, id: u64) -> Option<&mut T> {
        let (round, value) = self.slots.get_mut(id as u32 as usize)?;
        (*round == (id >> 32) as u32).then_some(value.as_mut())?
    }

    /// Takes the value of `id` away.
    pub(super) fn remove(&mut self, id: u64) -> Option<T> {
        let (round, value) = self.slots.get_mut(id as u32 as usize)?;
        let removed = (*round == (id >> 32) as u32).then(|| value.take())??;
        // A place that was taken four billion times is not taken again.
        if let Some(next) = round.checked_add(1) {
            *round = next;
            self.free.push(id as u32);
        }
        Some(removed)
    }

    /// Number of values.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// All values with their ids.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(at, slot)| {
            let (round, value) = slot;
            Some((u64::from(*round) << 32 | at as u64, value.as_mut()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_has_ended_is_not_found_again() {
        let mut slots = Slots::default();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_ne!(first, second);
        assert_eq!(slots.find(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.find(second), Some(&mut 'b'));
        assert_eq!(slots.len(), 1);
        assert_eq!(
            slots.iter_mut().map(|(id, _)| id).collect::<Vec<_>>(),
            [second]
        );
        for made_up in [0, 1, u64::MAX, 1 << 32 | 7] {
            assert_eq!(slots.find(made_up), None, "{made_up}");
        }
    }
}
