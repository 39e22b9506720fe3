# `make help` lists what there is. CI runs `.ci/run`, which calls the same targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo demo-openstack test lint check build bench fmt parts clean-demo

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## Two gateways on loopback with TLS: a home organisation and the cloud that trusts it
	@exec target/debug/fedgate demo

demo-openstack: build ## The same with a real, unpatched Keystone behind the cloud's gateway
	@tests/parts/keystone.sh
	@exec target/debug/fedgate demo --openstack

build: ## Install what a build needs, then build both programs
	@tests/parts/system.sh build
	@echo "== building fedgate and fedctl (the first time takes several minutes)" >&2
	@cargo build --locked

test: ## All tests; installs the real parts they run against (once, outside the checkout)
	@tests/parts/system.sh test
	@tests/parts/all.sh
	@echo "== cargo test" >&2
	@cargo test --locked --no-fail-fast

lint: ## Format, clippy and documentation, as CI checks them
	@cargo fmt --check
	@cargo clippy --all-targets --locked -- -D warnings
	@RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --no-deps --document-private-items --locked

check: ## The fast check while writing: compile everything, run nothing
	@cargo check --all-targets --locked

bench: ## The figures of the README (release build, then about ten minutes); BENCH="--tolerance 0.1 --only refresh"
	@tests/parts/system.sh bench
	@cargo bench --locked --bench figures -- $(BENCH)
	@tests/parts/keystone.sh
	@case "$(BENCH)" in *--only*) exit 0 ;; esac; \
	    missed=0; for part in front introspection offboard provision; do \
	    echo "== benches/$$part.sh" >&2; benches/$$part.sh || missed=1; done; exit $$missed

fmt: ## Format the code
	@cargo fmt

parts: ## Install the real parts of the tests, without running them
	@tests/parts/system.sh test
	@tests/parts/all.sh

clean-demo: ## Remove what the demo has written
	@rm -rf target/demo
