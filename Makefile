# Everything a person types. Each target installs what is missing first; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.DEFAULT_GOAL := help
.PHONY: help run dev build test end-to-end shots frames bench soak fmt clean

setup_build := xtask/setup.sh build; . xtask/env.sh
setup_test := xtask/setup.sh test; . xtask/env.sh
# Without naming packages, so that every call settles on the same features and shares what the others compiled.
xtask := cargo run --quiet --bin xtask --
build_browser := cargo build --package slowburn-frontend --target wasm32-unknown-unknown --profile wasm
# Quietly, rustfmt of the default toolchain where the one that builds has none.
fmt := if cargo fmt --version >/dev/null 2>&1; then cargo fmt --all; else RUSTUP_TOOLCHAIN= cargo fmt --all; fi

help: ## this list
	grep -E '^[a-z0-9-]+:.*## ' Makefile | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 20

run: ## build and start everything on http://127.0.0.1:3000, with a demo shop
	$(setup_build)
	cargo build --bin slowburn
	$(build_browser)
	$(xtask) bundle
	exec "$$CARGO_TARGET_DIR/debug/slowburn" serve --demo

dev: ## the same, rebuilt and restarted on every change
	$(setup_build)
	$(xtask) dev

build: ## the release binary target/release/slowburn, and the site target/site
	$(setup_build)
	cargo build --release --package slowburn --bin slowburn
	$(build_browser)
	$(xtask) bundle
	if ! cmp --silent "$$CARGO_TARGET_DIR/release/slowburn" target/release/slowburn; then
	  mkdir -p target/release
	  cp "$$CARGO_TARGET_DIR/release/slowburn" target/release/slowburn.part
	  mv target/release/slowburn.part target/release/slowburn
	fi

test: ## every check and test; the last line counts them
	$(setup_test)
	$(xtask) test

end-to-end: ## the browser's journeys alone
	$(setup_test)
	cargo build --bin slowburn
	$(build_browser)
	$(xtask) bundle
	$(xtask) end-to-end

shots: ## pictures of every page under target/shots
	$(setup_test)
	cargo build --bin slowburn
	$(build_browser)
	$(xtask) bundle
	$(xtask) shots

frames: ## frames a second while one scrolls and zooms, under target/bench
	$(setup_test)
	cargo build --bin slowburn
	$(build_browser)
	$(xtask) bundle
	$(xtask) frames

bench: ## the figures of requirements section H, under target/bench
	$(setup_build)
	exec xtask/bench.sh

soak: ## faults under load in full: kills, two servers, a still database, a full disk
	$(setup_build)
	exec xtask/bench.sh --soak 24 --silence 60

fmt: ## format the Rust code
	$(setup_build)
	$(fmt)

clean: ## remove what was built (not what setup installed)
	$(setup_build)
	cargo clean
	rm -rf target
