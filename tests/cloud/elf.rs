//! What the artefact asks of the machine it runs on, read from its own headers.

use std::collections::BTreeSet;

use crate::artefact::artefact;

/// The C library of Amazon Linux 2023, on which `provided.al2023` is built.
const GLIBC_MAX: (u32, u32) = (2, 34);
/// Kind of the section that lists the versions of symbols needed from libraries.
const VERSION_NEEDS: u64 = 0x6fff_fffe;

/// A 64-bit little-endian executable.
struct Elf(Vec<u8>);

impl Elf {
    /// A number of some bytes at a place.
    fn number(&self, at: usize, size: usize) -> u64 {
        let bytes = &self.0[at..at + size];
        bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    fn place(&self, at: usize, size: usize) -> usize {
        usize::try_from(self.number(at, size)).unwrap()
    }

    /// Where each section begins in the table of sections.
    fn sections(&self) -> impl Iterator<Item = usize> {
        let (table, size, count) = (self.place(40, 8), self.place(58, 2), self.place(60, 2));
        (0..count).map(move |number| table + number * size)
    }

    fn text(&self, at: usize) -> String {
        let bytes = self.0[at..].iter().copied().take_while(|byte| *byte != 0).collect();
        String::from_utf8(bytes).unwrap()
    }

    /// Every version named as needed, such as `GLIBC_2.34`, of every library.
    fn versions_needed(&self) -> BTreeSet<String> {
        let mut versions = BTreeSet::new();
        for section in self.sections().filter(|at| self.number(at + 4, 4) == VERSION_NEEDS) {
            let (mut library, names) = (self.place(section + 24, 8), self.place(section + 40, 4));
            let names = self.sections().nth(names).map(|at| self.place(at + 24, 8)).unwrap();
            for _ in 0..self.place(section + 44, 4) {
                let mut version = library + self.place(library + 8, 4);
                for _ in 0..self.place(library + 2, 2) {
                    versions.insert(self.text(names + self.place(version + 8, 4)));
                    version += self.place(version + 12, 4);
                }
                library += self.place(library + 12, 4);
            }
        }
        versions
    }
}

#[test]
fn the_artefact_starts_on_amazon_linux_2023() {
    let elf = Elf(std::fs::read(artefact()).unwrap());
    assert_eq!(elf.0[..6], *b"\x7fELF\x02\x01", "a 64-bit little-endian program");
    let needed = elf.versions_needed();
    let glibc: Vec<(u32, u32)> = needed
        .iter()
        .filter_map(|name| name.strip_prefix("GLIBC_")?.split_once('.'))
        .map(|(major, minor)| {
            let minor = minor.split('.').next().unwrap(); // 2.2.5 is older than 2.3
            (major.parse().unwrap(), minor.parse().unwrap())
        })
        .collect();
    assert!(glibc.len() > 3, "a dynamic program needs the C library: {needed:?}");
    assert!(glibc.iter().all(|version| *version <= GLIBC_MAX), "{needed:?}");
}
