# Needs only python3 (3.11 or newer, with venv) and make. Everything else is installed into .venv and frontend/node_modules.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup develop run test check bench lock clean

setup: .venv/.runtime frontend/dist/.done

develop: setup .venv/.develop

$(BIN)/uv: requirements/bootstrap.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@touch $@

.venv/.runtime: requirements/runtime.lock pyproject.toml $(BIN)/uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/runtime.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/.develop: requirements/develop.lock .venv/.runtime
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/develop.lock
	@touch $@

run: setup
	@exec $(BIN)/truesend up --sandbox

test: develop
	@exec $(BIN)/python tests/run.py

check: develop
	@exec $(BIN)/python tests/check.py

bench: setup
	@exec $(BIN)/truesend bench all

lock:
	for name in bootstrap runtime develop; do \
	  $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --universal \
	    --python-version 3.11 requirements/$$name.in -o requirements/$$name.lock || exit 1; done

clean:
	rm -rf .venv frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache
