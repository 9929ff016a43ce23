# Sourced by the Makefile and by scripts after setup.sh: where to build and with which toolchain.
slowburn_cache=${XDG_CACHE_HOME:-$HOME/.cache}/slowburn
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$slowburn_cache/target}
if [ -s "$slowburn_cache/toolchain" ]; then
  RUSTUP_TOOLCHAIN=$(cat "$slowburn_cache/toolchain")
  export RUSTUP_TOOLCHAIN
fi
