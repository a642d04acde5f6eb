# Each target first makes .venv if it is missing or out of date. pip, not uv: pip takes torch's CPU
# build from where it is configured to, uv fetches CUDA builds of several gigabytes.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := $(VENV)/.peers

.PHONY: help demo test serve check bench findings clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    run the paper's contrast from nothing, print the answer"
	@echo "make test    run the whole test suite"
	@echo "make serve   the lab server: API, web page, worker, until Ctrl-C"
	@echo "make check   formatter, linter, types, import contracts, dependencies"
	@echo "make bench   race against other packages; QUICK=1 ends within five minutes"
	@echo "make findings  what libraries do that one would not guess; ONLY=name for one of them"
	@echo "make clean   remove .venv and caches (never the lab's data)"

$(STAMP): pyproject.toml client/pyproject.toml constraints.txt
	@echo "setting up $(VENV) (a few minutes the first time)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e ./client -e '.[dev]'
	@touch $@

demo: $(STAMP)
	@$(BIN)/rglab demo

test: $(STAMP)
	@$(BIN)/python -m pytest

serve: $(STAMP)
	@$(BIN)/rglab up

check: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" ./scripts/check

# A race whose peer could not be installed says so in its row; the others are run.
$(PEERS): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[bench]' && touch $@ || echo "some peers could not be installed"

bench: $(PEERS)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

# Installs released packages, each in an environment of its own that goes again; needs none of ours.
findings:
	@PYTHON=$(PYTHON) $(PYTHON) scripts/library_findings.py run $(ONLY)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
