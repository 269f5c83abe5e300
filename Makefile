# Everything runs from a private .venv made of the hash-locked requirements. `make PYTHON=python3.12 …` picks the Python.
PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
MADE := $(VENV)/.made

.PHONY: demo test test-real bench lint lock clean
.DEFAULT_GOAL := demo

demo: $(MADE)
	$(BIN)/albacore demo

test: lint
	$(BIN)/pytest -n 2 --dist loadgroup albacore_pipeline_tests

test-real: $(MADE)
	albacore_pipeline_tests/real/install.sh
	$(BIN)/pytest -m real albacore_pipeline_tests/real

bench: $(MADE)
	$(BIN)/python -m albacore_pipeline_tests.bench

lint: $(MADE)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Builds run without isolation, on the locked setuptools (hence first): an isolated one would fetch things without a hash.
# Only xero-python comes as source alone, so nothing else may be built.
INSTALL = $(BIN)/pip install -qq --disable-pip-version-check --no-build-isolation --only-binary :all: --no-binary xero-python

# The stamp comes last: a .venv that was interrupted is made again.
$(MADE): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is missing or older than Python 3.11: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) lacks venv or ensurepip: apt-get install python3-venv (Debian, Ubuntu)" >&2; exit 1; }
	@echo "Making $(VENV) from requirements-dev.txt: about 750 MB on disk, a minute or two"
	@$(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^setuptools==/,/[^\\]$$/p' requirements-dev.txt | $(INSTALL) --require-hashes -r /dev/stdin
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@$(INSTALL) --no-deps --editable .
	@touch $@

# The second file takes its versions from the first, so that users run what was tested.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes \
  --no-emit-index-url --no-header --no-annotate pyproject.toml
lock:
	@command -v $(UV) >/dev/null || { echo "uv is missing: pip install uv, or make UV=/path/to/uv lock" >&2; exit 1; }
	$(COMPILE) --extra dev --output-file requirements-dev.txt
	$(COMPILE) --constraint requirements-dev.txt --output-file requirements.txt

# What can be made again. The data in .albacore/ are not touched.
clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find albacore_pipeline albacore_pipeline_tests -name __pycache__ -type d -prune -exec rm -rf {} +
