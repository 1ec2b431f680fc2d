# Everything one types here. A target is one script, which does the same by hand and in CI.

.DEFAULT_GOAL := help
.PHONY: help test lint fmt proof fuzz load cluster

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

test: ## all tests: Rust, a talk between two clients of other authors, the page in a browser
	@scripts/test.sh

lint: ## lock files, format, clippy, rustdoc, dependencies: all that needs no run
	@scripts/lint.sh

fmt: ## format the Rust code
	@cargo fmt --all
	@cargo fmt --manifest-path fuzz/Cargo.toml

proof: ## properties on many cases, the crash loop and the races with many rounds, a great backlog
	@scripts/proof.sh

fuzz: ## the fuzz targets for 10 minutes each, or for SECONDS=…; needs nightly Rust and cargo-fuzz
	@scripts/fuzz.sh $(SECONDS)

load: ## the load scenario steady-rooms against a release build (ARGS="…" goes to it)
	@cargo build --release
	@cargo run --release -p anteroom-load-tests -- steady-rooms $(ARGS)

cluster: ## three nodes on a PostgreSQL and a Redis of their own, and one address before them; prints links
	@cargo build --bins --workspace
	@cargo run --quiet -p anteroom-load-tests -- cluster $(ARGS)
