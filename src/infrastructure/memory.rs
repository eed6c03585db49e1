//! How much memory the process has held at most, as the system counts it.

use std::fs;

/// The peak of the resident memory, in bytes; `None` where the system does not say.
///
/// Linux keeps it as `VmHWM` (see `proc(5)`).
pub fn peak() -> Option<u64> {
    peak_in(&fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes = line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_in_bytes_or_not_at_all() {
        let status = "Name:\tlambda\nVmPeak:\t 99999 kB\nVmHWM:\t   16180 kB\nVmRSS:\t 15000 kB\n";
        assert_eq!(peak_in(status), Some(16_568_320));
        for other in
            ["", "VmHWM:", "VmHWM: many kB", "VmHWM: 5 MB", "VmHWM: 99999999999999999999 kB"]
        {
            assert_eq!(peak_in(other), None, "{other}");
        }
    }

    #[test]
    fn this_process_has_held_something() {
        let peak = peak();
        assert!(peak.is_none_or(|bytes| bytes > 100_000), "{peak:?}");
    }
}
