# Each target first makes .venv if it is missing or out of date. pip, not uv: pip takes torch's CPU
# build from where it is configured to, uv fetches CUDA builds of several gigabytes.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help demo test serve check clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    run the paper's contrast from nothing, print the answer"
	@echo "make test    run the whole test suite"
	@echo "make serve   the lab server: API, web page, worker, until Ctrl-C"
	@echo "make check   formatter, linter, types, import contracts, dependencies"
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

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
