# Everything runs from a private .venv made of the hash-locked requirements. `make PYTHON=python3.12 …` picks the Python.
PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin

# Two stamps in .venv: MADE has what users need, the product and the sandbox at the versions of requirements.txt and
# requirements-sandbox.txt; MADE_DEV has the developers' tools of requirements-dev.txt as well.
MADE := $(VENV)/.made
MADE_DEV := $(VENV)/.made-dev

.PHONY: help demo test t test-real bench lint fmt lock clean
.DEFAULT_GOAL := demo

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(MADE) ## the whole story on the sandbox, and its totals
	$(BIN)/albacore demo

test: lint ## linters, types, and every test that needs only Python
	$(BIN)/pytest -n 2 --dist loadgroup --every-query albacore_pipeline_tests

# N is the number of processes; ARGS goes to pytest: make t ROOM=escalation N=1 ARGS='-k veto --pdb'
N ?= 2
t: $(MADE_DEV) ## the tests of one room: make t ROOM=escalation
	@test -d 'albacore_pipeline_tests/$(ROOM)' -a -n '$(ROOM)' \
	  || { echo "name a folder of albacore_pipeline_tests: make t ROOM=escalation" >&2; exit 1; }
	$(BIN)/pytest -q -n $(N) --dist loadgroup $(ARGS) albacore_pipeline_tests/$(ROOM)

test-real: $(MADE_DEV) ## the tests against real servers, which it installs
	albacore_pipeline_tests/real/install.sh
	$(BIN)/pytest -m real albacore_pipeline_tests/real

bench: $(MADE_DEV) ## the benchmarks, as ratios
	$(BIN)/python -m albacore_pipeline_tests.bench

lint: $(MADE_DEV) ## ruff, mypy and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(MADE_DEV) ## format, and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Builds run without isolation, on the locked setuptools (hence first): an isolated one would fetch things without a hash.
# Only xero-python comes as source alone, so nothing else may be built.
INSTALL = $(BIN)/pip install -qq --disable-pip-version-check --no-build-isolation --only-binary :all: --no-binary xero-python

# A stamp comes last, and MADE is away while the tools are added: a .venv that was interrupted is made again.
$(MADE): requirements.txt requirements-sandbox.txt pyproject.toml albacore_sandbox/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "$(PYTHON) is missing or older than Python 3.11: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null \
	  || { echo "$(PYTHON) lacks venv or ensurepip: apt-get install python3-venv (Debian, Ubuntu)" >&2; exit 1; }
	@echo "Making $(VENV) from requirements.txt and requirements-sandbox.txt: about 640 MB on disk, a minute or two"
	@$(PYTHON) -m venv --clear $(VENV)
	@sed -n '/^setuptools==/,/[^\\]$$/p' requirements.txt | $(INSTALL) --require-hashes -r /dev/stdin
	@$(INSTALL) --require-hashes -r requirements.txt -r requirements-sandbox.txt
	@$(INSTALL) --no-deps --editable . --editable ./albacore_sandbox
	@touch $@

$(MADE_DEV): $(MADE) requirements-dev.txt
	@echo "Adding the developers' tools of requirements-dev.txt to $(VENV): about 160 MB more"
	@rm $(MADE)
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $(MADE) $@

# The developers' file knows everything; the others take their versions from it, so that users run what was tested.
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes \
  --no-emit-index-url --no-header --no-annotate
lock: ## write the requirements anew (needs uv)
	@command -v $(UV) >/dev/null || { echo "uv is missing: pip install uv, or make UV=/path/to/uv lock" >&2; exit 1; }
	$(COMPILE) pyproject.toml albacore_sandbox/pyproject.toml --extra dev --output-file requirements-dev.txt
	$(COMPILE) pyproject.toml --constraint requirements-dev.txt --output-file requirements.txt
	$(COMPILE) albacore_sandbox/pyproject.toml --constraint requirements-dev.txt --output-file requirements-sandbox.txt

# What can be made again. The data in .albacore/ are not touched.
clean: ## what can be made again; the data stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf albacore_sandbox/build albacore_sandbox/*.egg-info
	find albacore_pipeline albacore_sandbox albacore_pipeline_tests -name __pycache__ -type d -prune -exec rm -rf {} +
