# Each target first makes .venv if it is missing or out of date. pip, not uv: pip takes torch's CPU
# build from where it is configured to, uv fetches CUDA builds of several gigabytes.
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python $(USABLE) >/dev/null 2>&1 && echo $$python && break; done)
PYTHONS := python3.14 python3.13 python3.12 python3.11
# A shim that is found may still fail; Debian's python3 comes without venv.
USABLE := -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PEERS := $(VENV)/.peers
LOG := $(VENV)/install.log
# What pip says goes to a log; where it fails, the end of that is the reason.
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt
LOGGED := >>$(LOG) 2>&1 || { tail -n 15 $(LOG); echo "not installed; all that pip said is in $(LOG)"; exit 1; }

# As many processes as there are cores, WORKERS=1 for one; COVERAGE=1 keeps what they reached.
WORKERS ?= logical
MEASURED := $(if $(COVERAGE),-m coverage run )
# Compiled once, read by the hundreds of processes that tests start.
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python $(MEASURED)-m pytest -n $(WORKERS) --maxprocesses 8

.PHONY: help demo test test-slow coverage serve check lock mutants bench chaos findings clean
.DEFAULT_GOAL := help

help:
	@echo "make demo    run the paper's contrast from nothing, print the answer"
	@echo "make test    run the quick tests, on every core"
	@echo "make test-slow  run the others: processes, installations, whole paths"
	@echo "make coverage  how much of the code the tests reached that ran with COVERAGE=1"
	@echo "make serve   the lab server: API, web page, worker, until Ctrl-C"
	@echo "make check   formatter, linter, types, import contracts, dependencies"
	@echo "make mutants change the code in 200 small ways, see whether tests notice (half an hour)"
	@echo "make lock    write constraints.txt, the versions that are installed; UPGRADE=1 for the newest"
	@echo "make bench   race against other packages; QUICK=1 ends within five minutes"
	@echo "make chaos   faults and attacks on a real lab, what held; QUICK=1 ends within eight minutes"
	@echo "make findings  what libraries do that one would not guess; ONLY=name for one of them"
	@echo "make clean   remove .venv and caches (never the lab's data)"

$(STAMP): pyproject.toml client/pyproject.toml constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" $(USABLE) 2>/dev/null || { \
		echo "$(if $(PYTHON),$(PYTHON) is not,none of $(PYTHONS) is) a Python 3.11 to 3.14 with" \
			"venv: install one, or name one, make PYTHON=/path/to/python"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
		echo "setting up $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv $(VENV) --clear; }
	@echo "installing torch (a minute or two the first time)"
	@$(INSTALL) torch $(LOGGED)
	@echo "installing rglab and what else it needs (a minute or two)"
	@$(INSTALL) -e ./client -e '.[dev]' $(LOGGED)
	@touch $@

demo: $(STAMP)
	@$(BIN)/rglab demo

test: $(STAMP)
	@$(PYTEST) -m "not slow"

test-slow: $(STAMP)
	@$(PYTEST) -m slow

coverage: $(STAMP)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report

serve: $(STAMP)
	@$(BIN)/rglab up

check: $(STAMP)
	@PATH="$(CURDIR)/$(BIN):$$PATH" ./scripts/check

mutants: $(STAMP)
	@$(BIN)/python -m scripts.mutants

lock: $(STAMP)
	@$(BIN)/python scripts/lock.py$(if $(UPGRADE), --upgrade) $(PYTHONS)

# A race whose peer could not be installed says so in its row; the others are run.
$(PEERS): $(STAMP)
	@echo "installing the packages to race with"; >>$(LOG) 2>&1 $(INSTALL) \
		-e '.[bench]' && touch $@ || echo "some could not be installed; why is in $(LOG)"

bench: $(PEERS)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

# ONLY=name for one of them, SEED=n for what was drawn before.
chaos: $(STAMP)
	@PYTHONPATH=tests/support $(BIN)/python -m tests.chaos $(if $(QUICK),--quick) \
		$(if $(SEED),--seed $(SEED)) $(ONLY)

# Installs released packages, each in an environment of its own that goes again; needs none of ours.
findings:
	@PYTHON=$(PYTHON) $(PYTHON) scripts/library_findings.py run $(ONLY)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .coverage .coverage.*
