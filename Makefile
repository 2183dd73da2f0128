# Amdahl's Law in Deep Learning. `make help` lists the targets.
# Needs make and Python 3.11, 3.12 or 3.13; everything else goes into .venv.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3 python; do \
	if $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null; \
	then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# What the pages are made of: a change to any of these files makes the site out of date.
PAGES := $(shell git ls-files -co --exclude-standard -- _config.yml _toc.yml book chapters exercises \
	amdahl_lab 2>/dev/null)
SITE := _build/html/index.html

.PHONY: help book test lab exercises bundle grade record text bench lint clean
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

# ---- environments: the site's first, the rest on top of it ------------------------------------

$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 found; name one: make PYTHON=..."; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/book: $(VENV)/made pyproject.toml constraints.txt
	@echo "Installing what the site needs"
	@$(PIP) -e '.[book]'
	@touch $@

$(VENV)/lab: $(VENV)/made pyproject.toml constraints.txt
	@echo "Installing what the labs need (PyTorch is the large one)"
	@$(PIP) -e '.[lab]'
	@touch $@

$(VENV)/all: $(VENV)/book
	@echo "Installing the rest: the lab, the grader and the test tools (PyTorch is the large one)"
	@$(PIP) -e '.[dev]'
	@touch $@

# ---- what people do ---------------------------------------------------------------------------

book: $(SITE)  ## Build the site
	@echo "The site is $(CURDIR)/$(SITE): open it in a browser."
	@echo "It needs no server and no network; copy the folder _build/html wherever you like."

$(SITE): $(VENV)/book $(PAGES)
	@echo "Building the site, warnings as errors"
	@$(BIN)/jupyter-book build . --quiet --warningiserror --nitpick --keep-going
	@touch $@

test: $(VENV)/all  ## Run everything: lint, tests, notebooks, site, browser, grading
	@$(BIN)/python tests/run.py

lab: $(VENV)/lab  ## Open JupyterLab on the chapters
	@$(BIN)/jupyter lab chapters/01_amdahls_law/lab.ipynb

exercises: $(VENV)/all  ## Generate exercises/ from solutions/
	@$(BIN)/python -m amdahl_lab.grading generate

# What git knows, so that nothing slips in that is not part of the course.
bundle:  ## Pack what a class gets, without solutions and checks: _build/amdahls-law.zip
	@mkdir -p _build
	@git archive --format=zip --prefix=amdahls-law/ -o _build/amdahls-law.zip HEAD -- \
		README.md LICENSE LICENSE-text CITATION.cff Makefile pyproject.toml constraints.txt \
		book/front_page.png book/picture.png amdahl_lab chapters exercises
	@echo "For the class: $(CURDIR)/_build/amdahls-law.zip, as last committed, without solutions."

# By the environment, so that names with spaces and signs arrive as they are.
export SUBMISSIONS CHAPTER TITLE
grade: $(VENV)/all  ## Mark a class: make grade SUBMISSIONS=folder-or-zip [CHAPTER=1] [TITLE="..."]
	@test -n "$$SUBMISSIONS" || { echo "Name the folder or zip: make grade SUBMISSIONS=..."; exit 1; }
	@$(BIN)/python -m amdahl_lab grade "$$SUBMISSIONS" \
		$${CHAPTER:+--assignment "$$CHAPTER"} $${TITLE:+--title "$$TITLE"}

record: $(VENV)/all  ## Take the reference measurements on this machine
	@$(BIN)/python -m amdahl_lab record

text: $(VENV)/book  ## Take the character model's text anew from the pages
	@$(BIN)/python -m amdahl_lab.recorded.text.snapshot

bench: $(VENV)/all  ## Print the benchmarks, each figure beside its goal
	@$(BIN)/python tests/benchmarks/run.py

lint: $(VENV)/all  ## Check style and the floors of the package
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-cache
	@echo "Style and floors are in order."

clean:  ## Remove the site, the environment and all that was generated
	@rm -rf _build $(VENV) *.egg-info .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed the site, the environment and the caches."
