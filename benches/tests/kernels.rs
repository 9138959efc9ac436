//! Every kernel of the field has its benchmark.

#[test]
fn every_kernel_is_measured() {
    let kernels = include_str!("../../field/src/kernels.rs");
    let bench = include_str!("../benches/field.rs");
    let names = kernels.split("\npub fn ").skip(1);
    let names: Vec<&str> = names.filter_map(|rest| rest.split(['(', '<']).next()).collect();
    assert!(names.len() > 20);
    for name in names {
        assert!(bench.contains(&format!("kernels::{name}(")), "{name} has no benchmark");
    }
}
