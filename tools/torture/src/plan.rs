//! The fault tests and the lengths of their long forms.

use crate::Outcome;

/// A test in its long form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Name of the test function, also in its line of results.
    pub(crate) name: &'static str,
    pub(crate) package: &'static str,
    /// The test binary.
    pub(crate) target: &'static str,
    pub(crate) length: Length,
}

/// Length of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// A number of cycles; each test defines its own.
    Cycles(u64),
    /// One run for each mutant.
    Mutants,
}

/// All fault tests.
pub(crate) const TESTS: [Planned; 21] = [
    on_the_binary("kill9_under_load", 1_000),
    on_the_binary("power_cut", 1_000),
    on_the_binary("double_power_cut", 500),
    on_the_binary("power_cut_control", 20),
    on_the_binary("rot_after_kill", 300),
    on_the_binary("fsync_eio", 20),
    on_the_binary("disk_full", 5),
    of_the_engine("crash_image", 4_000),
    of_the_engine("double_crash", 5_000),
    of_the_engine("fail_nth_call", 20),
    of_the_engine("bit_rot", 4_000),
    of_the_engine("model", 20_000),
    of_the_engine("model_with_expiry", 4_000),
    of_the_server("dup_race", 500),
    of_the_server("overload", 1),
    of_the_server("slow_clients", 1),
    of_the_server("slow_handshakes", 1),
    of_the_service("cli", "sigterm_drain", 100),
    of_the_service("cli", "bombs", 1),
    of_the_service("cli", "hostile_neighbours", 1),
    Planned { name: "mutants", package: "sekali-store", target: "it", length: Length::Mutants },
];

const fn on_the_binary(name: &'static str, cycles: u64) -> Planned {
    of_the_service("torture", name, cycles)
}

const fn of_the_service(target: &'static str, name: &'static str, cycles: u64) -> Planned {
    Planned { name, package: "sekali", target, length: Length::Cycles(cycles) }
}

const fn of_the_server(name: &'static str, cycles: u64) -> Planned {
    Planned { name, package: "sekali-server", target: "it", length: Length::Cycles(cycles) }
}

const fn of_the_engine(name: &'static str, cycles: u64) -> Planned {
    Planned { name, package: "sekali-store", target: "it", length: Length::Cycles(cycles) }
}

/// Returns the tests with these names, or all if there are no names.
pub(crate) fn choose(names: &[String]) -> Outcome<Vec<&'static Planned>> {
    if names.is_empty() {
        return Ok(TESTS.iter().collect());
    }
    let known = || TESTS.map(|planned| planned.name).join(", ");
    let find = |name: &String| {
        let found = TESTS.iter().find(|planned| planned.name == name);
        found.ok_or_else(|| format!("there is no test `{name}`; there are {}", known()).into())
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_known_is_refused_with_those_that_are() {
        assert_eq!(choose(&[]).unwrap().len(), TESTS.len());
        assert_eq!(choose(&["power_cut".to_owned()]).unwrap(), [&TESTS[1]]);
        let error = choose(&["power".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`power`") && error.contains("double_crash"), "{error}");
    }
}
