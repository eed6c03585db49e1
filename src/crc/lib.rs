//! The checksums that the store's client may send or be sent, and no others.
//!
//! Names and shapes are those of the package `crc-fast`, whose place this takes. The sum that is sent
//! goes over `crc32fast`; the other two are only ever checked, byte by byte. All three run from the
//! lowest bit, begin with ones and end inverted. Polynomials and check values: the catalogue of
//! parametrised CRC algorithms (reveng) and the NVM Express base specification.

#![no_std]

/// A checksum by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// CRC-32 as in Ethernet and gzip.
    Crc32IsoHdlc,
    /// CRC-32C, Castagnoli's.
    Crc32Iscsi,
    /// CRC-64 of NVM Express.
    Crc64Nvme,
}

/// A checksum of what came so far.
#[derive(Debug, Clone)]
pub struct Digest(State);

#[derive(Debug, Clone)]
enum State {
    Quick(crc32fast::Hasher),
    Plain { table: &'static [u64; 256], ones: u64, sum: u64 },
}

static ISCSI: [u64; 256] = table(0x82F6_3B78);
static NVME: [u64; 256] = table(0x9A6C_9329_AC4B_C9B5);

// What the sums make of "123456789".
const _: () = assert!(of_digits(0x82F6_3B78, u32::MAX as u64) == 0xE306_9283);
const _: () = assert!(of_digits(0x9A6C_9329_AC4B_C9B5, u64::MAX) == 0xAE8B_1486_0A79_9888);

/// The checksum of some bytes.
pub fn checksum(algorithm: CrcAlgorithm, bytes: &[u8]) -> u64 {
    let mut digest = Digest::new(algorithm);
    digest.update(bytes);
    digest.finalize()
}

impl Digest {
    /// Of nothing yet.
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        let plain = |table, ones| State::Plain { table, ones, sum: ones };
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => State::Quick(crc32fast::Hasher::new()),
            CrcAlgorithm::Crc32Iscsi => plain(&ISCSI, u64::from(u32::MAX)),
            CrcAlgorithm::Crc64Nvme => plain(&NVME, u64::MAX),
        })
    }

    /// Takes in some more.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Quick(hasher) => hasher.update(bytes),
            State::Plain { table, sum, .. } => {
                *sum = bytes.iter().fold(*sum, |sum, byte| step(table, sum, *byte));
            }
        }
    }

    /// The checksum, in its lowest bits.
    pub fn finalize(self) -> u64 {
        match self.0 {
            State::Quick(hasher) => u64::from(hasher.finalize()),
            State::Plain { ones, sum, .. } => sum ^ ones,
        }
    }
}

const fn step(table: &[u64; 256], sum: u64, byte: u8) -> u64 {
    table[((sum ^ byte as u64) & 0xFF) as usize] ^ (sum >> 8)
}

/// What each byte adds, by a polynomial written from its lowest bit.
const fn table(polynomial: u64) -> [u64; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut sum, mut bit) = (byte as u64, 0);
        while bit < 8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ polynomial } else { sum >> 1 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

const fn of_digits(polynomial: u64, ones: u64) -> u64 {
    let (table, mut sum, mut digit) = (table(polynomial), ones, b'1');
    while digit <= b'9' {
        sum = step(&table, sum, digit);
        digit += 1;
    }
    sum ^ ones
}
