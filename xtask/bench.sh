#!/usr/bin/env bash
# Builds what `make bench` measures, the release binary and the browser's files, and measures it. Called after setup.sh.
#
#   xtask/bench.sh [ARGUMENT…]      for example --only load, or --spans 10000000
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=xtask/env.sh
. xtask/env.sh
# One call for both, so that what they share is compiled once. Neither is a part of the browser's half.
cargo build --release --package slowburn --package slowburn-bench --bins
if ! [ -s target/site/manifest.json ]; then
  cargo build --package slowburn-frontend --target wasm32-unknown-unknown --profile wasm
  cargo run --quiet --bin xtask -- bundle
fi
release=$CARGO_TARGET_DIR/release
exec "$release/slowburn-bench" --server "$release/slowburn" --site target/site --out target/bench "$@"
