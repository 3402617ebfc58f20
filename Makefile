# Two commands run everything: `make run` and `make test`. Plain `make` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
# Where `make run` keeps its data; `make run DATA=/elsewhere`.
DATA ?= $(shell scripts/data-dir)
# `make run EXIT=1` ends after the demo instead of leaving the platform running.
EXIT ?=
# `make run RELEASE=1` runs what an operator would: optimised, which takes half an hour to build the first time. Without
# it the build is the one of `make test`, so that neither waits for the other's.
RELEASE ?=
# `make test-api EXAMPLES=100 SEED=7`: requests of a kind for each operation, and which; SHORT=1 takes each operation in
# the name of one person only.
EXAMPLES ?= 20
SEED ?=
SHORT ?=

TARGET := $(or $(CARGO_TARGET_DIR),target)
QUENTY := $(TARGET)/$(if $(RELEASE),release,debug)/quenty
BUILD := $(CARGO) build $(if $(RELEASE),--release) --bin quenty

TESTS := test test-distributed test-orders test-large test-otlp test-api
# Of a first build nothing is kept for the next one to go on from: that would only make the first one longer.
ifeq ($(wildcard $(TARGET)/debug/incremental/*),)
run run-distributed $(TESTS): export CARGO_INCREMENTAL ?= 0
# Nor are line numbers for backtraces, which take a seventh of the time; panics still tell theirs.
run run-distributed $(TESTS): export CARGO_PROFILE_DEV_DEBUG ?= 0
endif

.PHONY: help run run-distributed $(TESTS) bench check fix docs packages

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the platform with its demo and print where to look (EXIT=1 ends after the demo, RELEASE=1 optimises)
	@scripts/ensure-packages run
	$(BUILD)
	exec "$(QUENTY)" demo --data "$(DATA)" $(if $(EXIT),--exit)

run-distributed: ## The same as many processes behind nginx, on real servers
	@scripts/ensure-packages distributed
	$(BUILD)
	consul="$$(scripts/ensure-consul)"; \
	exec "$(QUENTY)" demo --distributed --data "$(DATA)-distributed" \
		--orders 12 $${consul:+--consul "$$consul"} $(if $(EXIT),--exit)

# All is built at once, before what starts the servers: by itself that would keep one core busy where there are two.
test: packages ## Run the tests on private servers: PostgreSQL, RabbitMQ, Redis, Consul
	export QUENTY_TEST_CONSUL="$$(scripts/ensure-consul)"; \
	export TMPDIR="$$(scripts/scratch-dir)"; \
	export NEXTEST_TEST_THREADS="$${NEXTEST_TEST_THREADS:-$$(($$(nproc) + 1))}"; \
	$(CARGO) test --workspace --no-run; \
	if command -v cargo-nextest >/dev/null; then \
		$(CARGO) xtask with-servers -- $(CARGO) nextest run --workspace; \
	else \
		$(CARGO) xtask with-servers -- $(CARGO) test --workspace; \
	fi

test-distributed: packages ## Many processes behind nginx: kill one of two and nobody sees it, kill all and nothing is lost
	export QUENTY_TEST_CONSUL="$$(scripts/ensure-consul)"; \
	export TMPDIR="$$(scripts/scratch-dir)"; \
	$(CARGO) xtask with-servers -- $(CARGO) test --workspace --test journeys -- --ignored --exact --nocapture \
		--test-threads 1 distributed::one_of_two_may_die_at_any_moment_and_nobody_outside_sees_it \
		kill::nothing_of_three_hundred_orders_is_lost_and_nothing_doubled \
		kill::nothing_is_lost_and_nothing_doubled_of_many_processes

test-orders: packages ## Import 500 real orders and deliver them (needs the sample)
	export TMPDIR="$$(scripts/scratch-dir)"; \
	$(CARGO) xtask with-servers -- $(CARGO) test --workspace --test journeys -- --ignored --exact --nocapture \
		import::five_hundred_real_orders_go_in_once_and_reach_their_doors

test-large: packages ## Import ten thousand orders with constant memory (needs the sample; takes long)
	$(CARGO) xtask with-servers -- $(CARGO) test --workspace --test journeys -- --ignored ten_thousand --nocapture

test-otlp: packages ## Show an order's trace to OpenTelemetry's own receiver (Python, fetched by pip)
	export TMPDIR="$$(scripts/scratch-dir)"; \
	scripts/test-otlp $(CARGO) xtask with-servers -- $(CARGO) test --workspace --test journeys -- traces:: --nocapture

test-api: packages ## Fuzz the public API by its own OpenAPI, on a platform of its own (EXAMPLES=, SEED=, SHORT=1)
	$(BUILD)
	QUENTY="$(QUENTY)" scripts/test-api --examples $(EXAMPLES) $(if $(SEED),--seed $(SEED)) $(if $(SHORT),--short)

bench: ## Measure against the baselines; results in bench/
	@scripts/ensure-packages bench
	bench/run

check: ## All that the gate checks without running tests
	.ci/lint

fix: ## Format, and apply what clippy can fix by itself
	$(CARGO) clippy --workspace --all-targets --fix --allow-dirty --allow-staged
	$(CARGO) fmt --all

docs: ## Generate the documents under docs/ from the code
	$(CARGO) run --quiet --bin quenty -- openapi --out docs/openapi
	$(CARGO) run --quiet --bin quenty -- topology page --out docs/communication.md

packages:
	@scripts/ensure-packages
