# Everything that a person or CI runs; each target sets up what it needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
# What is imported is compiled then: of the CDK's 180 MB that is little.
INSTALL := $(PIP) install --no-compile
# Node from the virtual environment, never the machine's own.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export CDK_DISABLE_CLI_TELEMETRY := true
# Compiled modules are kept, also where the machine says otherwise: each run would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=
PACKAGES := cli stacks component constructs_lib lambdas buildspecs config local_cloud tests app.py

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(VENV)/.ready: requirements.txt requirements-dev.txt
	@echo "Setting up the virtual environment (a minute or two, once) ..."
	@test -x $(PYTHON) || python3 -m venv $(VENV)
	@$(INSTALL) pip==26.3 # Python's own needs half as long again, and every build of the local cloud runs it
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@touch $@

$(VENV)/bin/granary: cli/granary.sh $(VENV)/.ready
	@install -m 755 $< $@

node_modules/.ready: package.json package-lock.json $(VENV)/.ready
	@npm ci --no-audit --no-fund --silent
	@touch $@

.PHONY: setup
setup: $(VENV)/.ready $(VENV)/bin/granary node_modules/.ready ## Set up the virtual environment, Node, the CDK CLI and `granary`

.PHONY: demo
demo: setup ## Show the whole factory on the local cloud: three rows become three tenants (ROOM=gates: a room's demo)
	@$(PYTHON) -m local_cloud.factory.demo --room $(or $(ROOM),saas)

.PHONY: demo-up
demo-up: setup ## The same, and leave it running to be played with
	@$(PYTHON) -m local_cloud.factory.demo --keep

.PHONY: demo-down
demo-down: setup ## Stop what demo-up left running
	@$(PYTHON) -m local_cloud down

.PHONY: test
test: setup ## Run the whole test suite (ROOM=saas: one room, and what is common)
	@ROOM=$(ROOM) $(PYTHON) -m tests

.PHONY: test-upgrade
test-upgrade: setup ## Upgrade a factory of before on the local cloud: outside `make test`, and needs the history
	@$(PYTHON) -m pytest tests/upgrade -q

.PHONY: test-quick
test-quick: setup ## Run the unit tests only, without the slow ones
	@ROOM=$(ROOM) HYPOTHESIS_PROFILE=glance $(PYTHON) -m pytest tests/unit -q -n 2 --dist loadfile -m "not slow" --ignore tests/unit/bench

.PHONY: bench
bench: setup ## Measure, and print the figures beside their targets
	@$(PYTHON) -m tests.bench

.PHONY: lint
lint: setup ## Check style, types and architecture
	@ruff check $(PACKAGES) examples
	@ruff format --check $(PACKAGES) examples
	@mypy $(PACKAGES)
	@lint-imports
	@$(PYTHON) -m config.schema --check

.PHONY: format
format: setup ## Format the code
	@ruff check --fix-only --quiet $(PACKAGES) examples
	@ruff format --quiet $(PACKAGES) examples

.PHONY: synth
synth: setup ## Synthesize the toolchain, validated
	@node_modules/.bin/cdk synth --quiet

.PHONY: schema
schema: setup ## Write the JSON schemas of the configuration
	@$(PYTHON) -m config.schema

.PHONY: lock
lock: setup ## Resolve the pinned requirements anew from pyproject.toml
	@$(PIP) install uv
	@uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --no-header pyproject.toml -o requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --group dev -c requirements.txt --no-emit-index-url --no-emit-find-links --no-annotate --no-header -o requirements-dev.txt
