# Steelyard's commands. Each installs what it needs into .venv first, from lock files with hashes;
# what is there already is not looked at again, so only the first call needs a network, and `lock`.

PYTHON ?= python3
# Passed on to pytest, e.g. TEST_ARGS="tests/pricing -k quarantine".
TEST_ARGS ?=
TEST_WORKERS ?= 2
# How often `faults` kills a service, e.g. KILLS=25.
KILLS ?= 100
# Passed on to the benchmarks, e.g. BENCH_ARGS=--short.
BENCH_ARGS ?=
# Passed on to the builder of the seed, e.g. SEED_ARGS="map.json --edition 2026-10-21".
SEED_ARGS ?=
# Passed on to the resolver, e.g. LOCK_ARGS=--upgrade or LOCK_ARGS="--upgrade-package grpcio".
LOCK_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
SCRIPTS := $(wildcard protos/*.py scripts/*.py)

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	--exclude-newer "7 days" $(LOCK_ARGS) pyproject.toml

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: ## Install the services and every tool into .venv.
	@$(PYTHON) scripts/install.py develop

.PHONY: run
run: ## Start all services on this machine and say how to call them.
	@$(PYTHON) scripts/install.py run
	@exec $(BIN)/steelyard up

.PHONY: test
test: install ## Run every test that needs no network.
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup -m "not faults and not replays" \
		--ignore tests/bench $(TEST_ARGS)

.PHONY: check
check: lint test ## Run everything that a change has to pass.

.PHONY: lint
lint: check-generate ## Check formats, style, types, imports and the contract.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/buf lint build/descriptors.binpb --config protos/buf.yaml
	$(BIN)/python protos/check_breaking.py
	$(BIN)/yamllint --strict .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/mypy $(SCRIPTS)

.PHONY: format
format: install ## Format Python and protos, and apply the fixes that are safe.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/buf format --write protos

.PHONY: generate
generate: install ## Compile protos/ into protos/gen/.
	$(BIN)/python protos/generate.py

.PHONY: check-generate
check-generate: install ## Fail when protos/gen/ is not what protos/ compiles to.
	$(BIN)/python protos/generate.py --check

.PHONY: accept-contract
accept-contract: check-generate ## Make the contract as it is the one that must not break.
	$(BIN)/python protos/check_breaking.py --accept

.PHONY: replays
replays: install ## Play back years of real data and hours of traffic.
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup -m replays tests

.PHONY: faults
faults: install ## Kill services and spoil feeds, again and again.
	STEELYARD_TEST_KILLS=$(KILLS) $(BIN)/python -m pytest -n 0 -m faults tests

.PHONY: bench
bench: install ## Run the benchmarks and print their figures.
	$(BIN)/python -m tests.bench $(BENCH_ARGS)

.PHONY: seed
seed: install ## Rebuild the bundled seed catalogue.
	$(BIN)/python scripts/build_seed.py $(SEED_ARGS)

.PHONY: lock
lock: install ## Resolve the dependencies again, nothing younger than a week.
	$(COMPILE) --extra build --output-file requirements.lock
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

.PHONY: clean
clean: ## Remove caches and build output; .venv and the data in .steelyard stay.
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find libs protos scripts services tests -name __pycache__ -type d -prune -exec rm -rf {} +
