//! The description in the repository is the one that the handlers have.

use std::path::Path;

/// `UPDATE_EXPECT=1` writes the file anew; the wallet's types are then made from it (`npm run generate`).
#[test]
fn the_description_is_that_of_the_handlers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/openapi.json");
    let ours = api::openapi_json();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &ours).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        kept == ours,
        "web/openapi.json is stale; run this test with UPDATE_EXPECT=1, then npm run generate"
    );
}
