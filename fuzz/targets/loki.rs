#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sekali_server::fuzzing::loki(bytes));
