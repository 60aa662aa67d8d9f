//! Numbers that look random and are the same in each run.

/// A generator of numbers (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    /// The numbers that belong to `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap_or_default()
    }

    /// True in so many cases of a hundred.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Some of `choices` in their order, at least one.
    #[allow(dead_code, reason = "each test binary compiles this module, and not all of them need it")]
    pub(crate) fn some<T: Copy>(&mut self, choices: &[T]) -> Vec<T> {
        let some: Vec<T> = choices.iter().copied().filter(|_| self.chance(35)).collect();
        if some.is_empty() { vec![self.pick(choices)] } else { some }
    }
}
