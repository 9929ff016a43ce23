#!/usr/bin/env bash
# Installs what building, running or testing Slowburn needs and is missing: Debian packages, the WebAssembly target,
# npm packages, Chromium. Says what it does; when nothing is missing it only looks (well under a second).
#
#   xtask/setup.sh build   Rust for host and WebAssembly, PostgreSQL's server programs, binaryen
#   xtask/setup.sh test    the same, and Chromium, Playwright, the Python OpenTelemetry SDK
#
# It leaves the name of the rustup toolchain to build with in `~/.cache/slowburn/toolchain` (empty: the default one), which
# `xtask/env.sh` reads. There is no rust-toolchain.toml: with one, any cargo call may replace the reader's own toolchain, and
# fails where rustup can fetch nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/slowburn
mkdir -p "$cache"

say() { printf 'setup: %s\n' "$*" >&2; }
# A program, and not a function of this script.
have() { type -P "$1" >/dev/null; }
die() { say "$*"; exit 1; }

apt_updated=
apt_install() {
  have apt-get || die "missing: $*; install them with this system's package manager and run again"
  local sudo=
  if [ "$(id -u)" != 0 ]; then sudo=sudo; have sudo || die "missing: $*; install them as root: apt-get install $*"; fi
  if [ -z "$apt_updated" ]; then say "apt-get update"; $sudo apt-get update -qq; apt_updated=1; fi
  say "apt-get install $*"
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$@" >"$cache/apt.log" 2>&1 \
    || { tail -n 20 "$cache/apt.log" >&2; die "apt-get install failed; the whole log: $cache/apt.log"; }
}

# PostgreSQL's server programs (`postgres`, `initdb`), which Debian keeps out of PATH.
postgres_programs() { have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }

host_tools() {
  local missing=()
  have cc || missing+=(build-essential)
  have make || missing+=(make)
  postgres_programs || missing+=(postgresql)
  { have node && have npm; } || missing+=(nodejs npm)
  [ ${#missing[@]} = 0 ] || apt_install "${missing[@]}"
  have cargo || [ -x /usr/bin/cargo ] || apt_install rustc-web cargo-web
}

# Which way of building the library this is; another one is built anew.
wasm_std_stamp=slowburn-std-2

# Does the toolchain named $1 (empty: the default) compile for wasm32?
wasm_works() {
  local sysroot
  sysroot=$(RUSTUP_TOOLCHAIN=$1 rustc --print sysroot 2>/dev/null) || return 1
  compgen -G "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib/libstd-*.rlib" >/dev/null \
    && { [ "$sysroot" != /usr ] || [ -f "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib/$wasm_std_stamp" ]; }
}

# Where rustup can fetch nothing, Debian's rustc-web stands beside it, and its standard library is built from
# rust-web-src for wasm32 once.
debian_wasm() {
  apt_install rustc-web cargo-web rust-web-src rust-web-llvm rust-web-clippy
  local lld
  lld=$(basename "$(readlink -f /usr/bin/rust-lld)")
  have "$lld" || apt_install "$lld"
  local lib=/usr/lib/rustlib/wasm32-unknown-unknown/lib
  if ! [ -f "$lib/$wasm_std_stamp" ]; then
    say "building the standard library for wasm32 (two to four minutes, once)"
    local tmp
    tmp=$(mktemp -d)
    mkdir -p "$tmp/src"
    printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n[lib]\n[workspace]\n' >"$tmp/Cargo.toml"
    : >"$tmp/src/lib.rs"
    # With bitcode, so that the browser's half can be optimised as a whole with it; for size.
    (cd "$tmp" && RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc RUSTFLAGS='-C embed-bitcode=yes' CARGO_PROFILE_RELEASE_OPT_LEVEL=z \
      CARGO_TARGET_DIR="$tmp/target" /usr/bin/cargo build --release --target wasm32-unknown-unknown \
      -Zbuild-std=std,panic_abort,proc_macro -Zbuild-std-features=optimize_for_size) >"$cache/wasm-std.log" 2>&1 \
      || { tail -n 20 "$cache/wasm-std.log" >&2; die "the wasm32 library did not build; the whole log: $cache/wasm-std.log"; }
    mkdir -p "$lib"
    rm -f "$lib"/*.rlib
    find "$tmp/target/wasm32-unknown-unknown/release/deps" -name '*.rlib' ! -name 'libstd_for_wasm-*' -exec cp {} "$lib/" \;
    touch "$lib/$wasm_std_stamp"
    rm -rf "$tmp"
  fi
  if have rustup; then
    rustup toolchain list | grep -q '^debian-web' || rustup toolchain link debian-web /usr
    echo debian-web >"$cache/toolchain"
  else
    : >"$cache/toolchain"
  fi
}

wasm_target() {
  local chosen
  chosen=$(cat "$cache/toolchain" 2>/dev/null || true)
  wasm_works "$chosen" && { printf '%s' "$chosen" >"$cache/toolchain"; return; }
  wasm_works "" && { : >"$cache/toolchain"; return; }
  if have rustup && { say "rustup target add wasm32-unknown-unknown"; timeout 120 rustup target add wasm32-unknown-unknown >/dev/null 2>&1; } \
    && wasm_works ""; then
    : >"$cache/toolchain"
    return
  fi
  debian_wasm
  wasm_works "$(cat "$cache/toolchain")" || die "the wasm32 target is still missing"
}

# One copy per lockfile, shared by all clones of this machine; `end2end/node_modules` is a link to it.
npm_packages() {
  local stamp
  stamp=$cache/npm-$(cat end2end/package.json end2end/package-lock.json | sha256sum | cut -c1-16)
  if [ ! -d "$stamp/node_modules" ]; then
    say "npm ci (Playwright, axe, binaryen, OpenTelemetry for Node)"
    rm -rf "$stamp.part" && mkdir -p "$stamp.part"
    cp end2end/package.json end2end/package-lock.json end2end/.npmrc "$stamp.part/"
    (cd "$stamp.part" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --ignore-scripts --loglevel=error >"$cache/npm.log" 2>&1) \
      || { tail -n 20 "$cache/npm.log" >&2; die "npm ci failed; the whole log: $cache/npm.log"; }
    mv "$stamp.part" "$stamp"
  fi
  # A real directory in the link's place would swallow the link.
  if [ -d end2end/node_modules ] && [ ! -L end2end/node_modules ]; then rm -rf end2end/node_modules; fi
  ln -sfn "$stamp/node_modules" end2end/node_modules
}

# rustfmt and clippy. rustfmt may come from another toolchain than the one that builds: it only reads.
lint_tools() {
  local chosen
  chosen=$(cat "$cache/toolchain")
  if ! RUSTUP_TOOLCHAIN=$chosen cargo clippy --version >/dev/null 2>&1; then
    if [ -z "$chosen" ] && have rustup; then say "rustup component add clippy"; rustup component add clippy >/dev/null 2>&1 || true
    else apt_install rust-web-clippy; fi
  fi
  if ! { RUSTUP_TOOLCHAIN=$chosen cargo fmt --version || RUSTUP_TOOLCHAIN= cargo fmt --version; } >/dev/null 2>&1; then
    if have rustup; then say "rustup component add rustfmt"; rustup component add rustfmt >/dev/null 2>&1 || die "rustfmt is missing"
    else apt_install rustfmt-web; fi
  fi
}

browser() { have chromium || have chromium-browser || have google-chrome || apt_install chromium fonts-dejavu-core; }

python_sdk() {
  local venv="$cache/python"
  local wanted
  wanted=$(sha256sum end2end/sdk/requirements.txt | cut -c1-16)
  [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$wanted" ] && return
  have python3 || apt_install python3 python3-venv
  say "python3 -m venv, pip install (OpenTelemetry SDK)"
  rm -rf "$venv"
  python3 -m venv "$venv" 2>/dev/null || { apt_install python3-venv; python3 -m venv "$venv"; }
  "$venv/bin/pip" install --quiet -r end2end/sdk/requirements.txt >"$cache/pip.log" 2>&1 \
    || { tail -n 20 "$cache/pip.log" >&2; die "pip install failed; the whole log: $cache/pip.log"; }
  echo "$wanted" >"$venv/.stamp"
}

# Reads the rules that we export, and is counted from.
prometheus_tools() { { have promtool && have prometheus; } || apt_install prometheus; }

host_tools
wasm_target
npm_packages
if [ "$what" = test ]; then
  lint_tools
  browser
  python_sdk
  prometheus_tools
fi
