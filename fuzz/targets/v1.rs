#![no_main]

use libfuzzer_sys::fuzz_target;

// Both ends of it.
fuzz_target!(|bytes: &[u8]| {
    tidings_channel::fuzz::v1(bytes);
    tidings_server::fuzz::v1(bytes);
});
