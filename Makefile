# Needs Python 3.11 or later with pip, and make. Everything else comes from the package index that pip is set to.

PYTHON ?= python3
ARGS ?=
SECONDS ?= 60
# One more than there are cores, because a test that drives a browser or a server mostly waits.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# By default files with few tests run last, and those that drive a browser, which take longest, have few.
ORDER := --no-loadscope-reorder
BIN := .venv/bin
UV := .tools/bin/uv
SETUP := .venv/.setup-done
NODE_MODULES := node_modules/.setup-done

# uv does not read pip's settings, so a mirror set for pip is handed on.
INDEX = UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$${PIP_INDEX_URL:-$$($(PYTHON) -m pip config get global.index-url 2>/dev/null)}}"

export UV_PYTHON_DOWNLOADS := never
# Where Python may not write bytecode (PYTHONDONTWRITEBYTECODE), every process would compile torch anew: 20 seconds.
export UV_COMPILE_BYTECODE := 1
# Busy-waiting threads make a loaded machine several times slower.
export OMP_WAIT_POLICY ?= passive

# Bytecode beside the sources, else every process of the tests compiles the library anew, and every worker all tests.
test test-long test-fast coverage: export PYTHONDONTWRITEBYTECODE :=
# One thread a worker: threads of several workers would wait for each other.
test test-fast: export OMP_NUM_THREADS := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long test-fast test-js coverage torture fuzz bench check fix docs lock sbom browser clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(SETUP) ## install the pinned packages and synthaug itself into .venv/

demo: setup ## open the app on example workspaces; ARGS=--headless runs every step without it
	$(BIN)/synthaug demo $(ARGS)

test: setup browser test-js ## run the tests but the longest; ARGS go to pytest
	$(BIN)/python -m pytest -m 'not long' --numprocesses $(WORKERS) --dist loadfile $(ORDER) $(ARGS)

test-long: setup browser ## run the longest tests, which train, draw or kill for half a minute or more each
	$(BIN)/python -m pytest -m long --numprocesses auto --dist loadfile $(ORDER) $(ARGS)

test-fast: setup test-js ## run the tests without training and browser, on all cores: under two minutes
	$(BIN)/python -m pytest -m 'not slow and not long and not browser' --numprocesses auto --dist loadfile $(ORDER) $(ARGS)

test-js: $(NODE_MODULES) ## run the tests of the JavaScript modules with node
	$(BIN)/node --test "tests/js/**/*.test.js"

torture: setup ## test every stage with kills, power cuts and full disks: an hour, partly needs root
	$(BIN)/python -m tests.torture --kills 32 --cuts 5 --full 6 $(ARGS)

fuzz: setup ## test every parser with random input, for SECONDS=60 per property
	SYNTHAUG_FUZZ_SECONDS=$(SECONDS) $(BIN)/python -m pytest tests/fuzz

bench: setup browser ## measure every claim of speed beside its peers and write docs/performance.md; ARGS name claims
	@$(INDEX) $(BIN)/python -m benchmarks.peers $(ARGS)

coverage: setup browser ## run all tests and report the lines that they cover
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered $(ARGS)

check: setup $(NODE_MODULES) ## check formatting, lint, types and the import rule, without changes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/node node_modules/@biomejs/biome/bin/biome ci --error-on-warnings
	$(BIN)/node node_modules/typescript/bin/tsc --project .

fix: setup $(NODE_MODULES) ## fix formatting and lint automatically
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/node node_modules/@biomejs/biome/bin/biome check --write

docs: setup ## write docs/cli.md from the help texts and build the site in site/, checking links
	$(BIN)/python docs/write_cli.py
	NO_MKDOCS_2_WARNING=1 DISABLE_MKDOCS_2_WARNING=true $(BIN)/mkdocs build --strict --quiet

sbom: setup ## write dist/sbom.json, a CycloneDX list of the installed packages
	@mkdir -p dist
	@$(INDEX) $(UV) tool run --quiet --from cyclonedx-bom cyclonedx-py environment $(BIN)/python --output-format JSON -o dist/sbom.json

lock: $(UV) ## pin every package by hash in requirements.lock; ARGS=--upgrade upgrades them
	@$(INDEX) $(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --quiet $(ARGS) \
		-o requirements.lock
	@! grep -n '://' requirements.lock || { echo "Error: requirements.lock holds an address" >&2; exit 1; }

browser: setup
	@.ci/browser

clean: ## remove everything that make created, except demo-workspace/, which may have your labels
	rm -rf .venv .tools node_modules build dist site synthaug.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find app assets benchmarks db docs synthaug tests -name __pycache__ -prune -exec rm -rf {} +

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Error: $$($(PYTHON) --version) is too old; synthaug needs 3.11 (make PYTHON=python3.12 ...)" >&2; exit 1; }
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade --target .tools uv

$(BIN)/python: | $(UV)
	$(UV) venv --quiet --clear --python $(PYTHON) .venv

$(SETUP): requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the packages of requirements.lock into .venv (some 6 GB of them the first time)"
	@$(INDEX) $(UV) pip install --python $(BIN)/python --require-hashes -r requirements.lock
	@$(INDEX) $(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# npm and node come with the pinned Python packages. Their packages are only used for checks, not by the app.
$(NODE_MODULES): package.json $(SETUP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm install --silent --no-fund
	@touch $@
