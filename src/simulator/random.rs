//! Seeded chance: the same seed gives the same numbers on every machine and in every version.

/// A small generator (SplitMix64): good enough to spread fills and prices, never for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// A generator that starts at a seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for one thing, such as a symbol, so that adding another thing
    /// does not shift its numbers.
    pub fn of(seed: u64, name: &str) -> Self {
        Self(seed ^ fingerprint(name.as_bytes()))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A fraction from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        let upper = u32::try_from(self.bits() >> 32).unwrap_or(u32::MAX);
        f64::from(upper) / (f64::from(u32::MAX) + 1.0)
    }

    /// True with a probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A number from a normal distribution with mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A name in the form of a random UUID.
    pub fn uuid(&mut self) -> String {
        uuid_of(self.bits(), self.bits())
    }
}

/// A stable 64-bit fingerprint of some bytes (FNV-1a).
pub fn fingerprint(bytes: &[u8]) -> u64 {
    continued(0xCBF2_9CE4_8422_2325, bytes)
}

/// A fingerprint continued over more bytes.
pub fn continued(start: u64, bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// The UUID of a name: always the same, such as the id of an asset.
pub fn uuid_named(name: &str) -> String {
    let mut random = Random::of(0, name);
    random.uuid()
}

fn uuid_of(high: u64, low: u64) -> String {
    let (high, low) = (format!("{high:016x}"), format!("{low:016x}"));
    format!("{}-{}-4{}-8{}-{}", &high[..8], &high[8..12], &high[13..], &low[1..4], &low[4..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let draw = |seed| {
            let mut random = Random::seeded(seed);
            [random.bits(), random.bits(), random.bits()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_eq!(Random::seeded(0).bits(), 0xE220_A839_7B1D_CDAF); // the published first value
    }

    #[test]
    fn fractions_fill_the_unit_interval() {
        let mut random = Random::seeded(1);
        let drawn: Vec<f64> = (0..2_000).map(|_| random.unit()).collect();
        assert!(drawn.iter().all(|u| (0.0..1.0).contains(u)));
        let mean = drawn.iter().sum::<f64>() / 2_000.0;
        assert!((0.47..0.53).contains(&mean), "{mean}");
    }

    #[test]
    fn normals_have_mean_zero_and_deviation_one() {
        let mut random = Random::seeded(2);
        let drawn: Vec<f64> = (0..4_000).map(|_| random.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 4_000.0;
        let variance = drawn.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 4_000.0;
        assert!(mean.abs() < 0.06 && (0.92..1.08).contains(&variance), "{mean} {variance}");
    }

    #[test]
    fn a_uuid_has_the_form_of_one() {
        let id = Random::seeded(3).uuid();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(uuid_named("SPY"), uuid_named("SPY"));
        assert_ne!(uuid_named("SPY"), uuid_named("QQQ"));
    }
}
