# `make help` lists what there is. Nothing is written outside this folder, except Chromium by `make test` as root.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test torture fuzz guard chromium check bench pictures lock licences

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Addresses and tokens of this shell never reach a test.
BARE := env -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY -u http_proxy -u https_proxy -u all_proxy

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.runtime  ## .venv with the pinned dependencies (PYTHON=… chooses a Python, 3.11 or newer)

demo: setup  ## the playground, on http://127.0.0.1:8080 (PORT=… for another)
	@$(BIN)/ritme demo --fresh $(if $(PORT),--port $(PORT))

test: setup-dev chromium tests/npm/node_modules/.ready  ## every test (ARGS=… goes to pytest)
	@$(BARE) $(BIN)/python -m pytest -n auto $(ARGS)

check: setup-dev  ## format, lint, types, imports, names, prompts, migrations, known vulnerabilities
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BARE) $(BIN)/python -m pytest -q -n auto tests/unit/test_naming.py tests/unit/test_docs.py tests/unit/test_prompts.py tests/unit/test_dependencies.py tests/integration/test_migrations.py
	@$(BIN)/python -m tests.dependencies audit

torture: setup-dev  ## web and worker processes killed, or told to stop, at random, 200 times (ARGS="--seed 7" repeats one ordeal)
	@$(BARE) $(BIN)/python -m tests.torture $(ARGS)

fuzz: setup-dev  ## mutated, correctly signed payloads through every door (ARGS="--n 1000000 --seed 7 --database postgresql")
	@$(BARE) $(BIN)/python -m tests.fuzz $(ARGS)

guard: setup-dev  ## what the guard sees and misses in the corpora of stories, and its score on each (ARGS=FILE for others)
	@$(BARE) $(BIN)/python -m tests.guard $(or $(ARGS),$(wildcard tests/corpora/guard_*.jsonl))

bench: setup-dev  ## one table of what it takes and costs, each beside its measure (ARGS=inbound for one of eight)
	@$(BARE) $(BIN)/python -m benchmarks $(ARGS)

pictures: setup-dev chromium  ## docs/images/slack-*.png, drawn-*.png and page-*.webp, drawn anew from what Ritme sends and shows
	@$(BARE) $(BIN)/python -m tests.pictures

lock: setup-dev  ## renew requirements.lock and requirements-dev.lock from pyproject.toml
	@$(BIN)/uv pip compile $(LOCK) --extra build --extra otel -o requirements.lock
	@$(BIN)/uv pip compile $(LOCK) --extra build --extra otel --extra dev -c requirements.lock -o requirements-dev.lock

licences: setup-dev  ## docs/licences.md, from what the lock file installs
	@$(BIN)/python -m tests.dependencies licences

LOCK := pyproject.toml --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

setup-dev: .venv/.dev

.venv/.runtime: requirements.lock pyproject.toml | .venv/bin/ready
	@echo "Installing what Ritme needs …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.runtime
	@echo "Installing what its tests need …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

.venv/bin/ready:
	@[ -n "$(PYTHON)" ] || { echo "Ritme needs Python 3.11 or newer, and none is on the PATH." \
		"Install python3, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is not Python 3.11 or newer. Choose another: make $(MAKECMDGOALS) PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make a virtual environment. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@touch $@

# What others wrote and the tests run; Node itself comes with the Python packages.
tests/npm/node_modules/.ready: tests/npm/package-lock.json
	@command -v npm >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing npm for the tests …"; \
			apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends npm >/dev/null; \
		else \
			echo "The tests need npm. Install it (Debian: apt-get install npm)."; exit 1; \
		fi; }
	@cd tests/npm && npm ci --loglevel=error
	@touch $@

# The tests drive the system's own Chromium; CHROMIUM=/path/to/it points elsewhere.
chromium:
	@found() { [ -x "$$CHROMIUM" ] || command -v chromium || command -v chromium-browser || command -v google-chrome; }; \
	found >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests …"; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium fonts-noto-color-emoji >/dev/null; \
	else \
		echo "The browser tests need Chromium. Install it (Debian: apt-get install chromium), or set CHROMIUM to its path."; exit 1; \
	fi
