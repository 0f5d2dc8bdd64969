# Two commands do everything on a fresh machine: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
INSTALL := $(PIP) install --constraint constraints.txt

# Nothing asks ultralytics' servers for anything, and its settings stay inside the environment.
export YOLO_OFFLINE := 1
export YOLO_CONFIG_DIR := $(CURDIR)/.venv/ultralytics
export YOLO_AUTOINSTALL := false

.PHONY: help
help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: .venv/light  ## set up, run detect -> ingest -> build-site on the built-in recordings, say where to look
	@$(BIN)/quitboard demo demo-board

.PHONY: test
test: check .venv/browser  ## set up, check the code, run all tests
	@$(BIN)/python -m pytest

.PHONY: check
check: .venv/full  ## ruff, strict mypy, import directions
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

.PHONY: test-release
test-release: .venv/full .venv/browser  ## the long tests too
	@QUITBOARD_TIER=release $(BIN)/python -m pytest

.PHONY: test-real
test-real: .venv/full  ## what needs real clips and pictures: make test-real DATA=path
	@QUITBOARD_DATA="$(abspath $(DATA))" $(BIN)/python -m pytest tests/real

.PHONY: bench
bench: .venv/full  ## speed as ratios against peers in the same run: make bench [CLIP=path]
	@$(BIN)/python -m tools.bench $(if $(CLIP),--clip "$(CLIP)")

.PHONY: street
street: .venv/full  ## render training pictures and the built-in recordings: make street [OUT=dir] [PICTURES=500] [SEED=1] (needs libegl1 and libgl1-mesa-dri)
	@$(INSTALL) --group street
	@$(BIN)/python -m tools.street pictures --out "$(or $(OUT),street-out)/pictures" --count $(or $(PICTURES),500) --seed $(or $(SEED),1)
	@$(BIN)/python -m tools.street demo --out "$(or $(OUT),street-out)/demo"

.PHONY: street-test
street-test: .venv/full  ## render the test recordings with their truth: make street-test [OUT=dir] [COUNT=20]
	@$(INSTALL) --group street
	@$(BIN)/python -m tools.street test --out "$(or $(OUT),street-out)/test" --count $(or $(COUNT),20)

.PHONY: screenshots
screenshots: .venv/browser  ## pictures of every template, in three widths, both themes and languages: make screenshots [OUT=dir] [SITE=dir]
	@$(BIN)/python -m tools.screenshots --out "$(or $(OUT),screenshots)" $(if $(SITE),--site "$(SITE)")

.PHONY: lighthouse
lighthouse: .venv/browser  ## Lighthouse's four scores on a phone, of four pages: make lighthouse [SITE=dir]
	@$(BIN)/python -m tools.lighthouse $(if $(SITE),--site "$(SITE)")

.PHONY: fonts
fonts: .venv/full  ## cut the pages' typeface anew, after texts that need other syllables (needs npm)
	@$(INSTALL) --group fonts
	@$(BIN)/python -m tools.fonts

.PHONY: clean
clean:  ## remove the environment and what the commands made
	rm -rf .venv demo-board bench-out street-out screenshots build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# --- set-up: each stamp is a file, so that a second call does nothing ------------------------------------------------

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'QuitBoard needs Python 3.11 or newer: make demo PYTHON=/path/to/python3.11' >&2; exit 1; }
	@echo 'Setting up .venv'
	@$(PYTHON) -m venv .venv
	@$(PIP) install --upgrade 'pip>=25.1'

# The default install: no torch. A model export runs in OpenVINO.
.venv/light: .venv/bin/python pyproject.toml constraints.txt
	@$(INSTALL) --editable .
	@touch $@

# Everything, for tests and training. torch comes as a CPU build: from the index that pip is set up with if it has one
# there, else from PyTorch's own. Plain `pip install torch` would bring 2.7 GB of CUDA.
.venv/full: .venv/light
	@$(BIN)/python -c 'import torch' 2>/dev/null || \
	    $(PIP) install --no-deps --only-binary :all: --no-index torch==2.13.0 2>/dev/null || \
	    $(INSTALL) --index-url https://download.pytorch.org/whl/cpu torch torchvision
	@$(BIN)/python -c 'import importlib.metadata as m; m.version("torchvision")' 2>/dev/null || \
	    $(INSTALL) --no-deps torchvision
	@$(INSTALL) --editable '.[torch,onnx,s3]' --group check --group test
	@touch $@

# Chromium, and what judges pages: the HTML validator and Lighthouse, run by the Node.js that `test` brings.
.venv/browser: .venv/full tools/install_browser.sh tools/node/package-lock.json
	@tools/install_browser.sh
	@mkdir -p .venv/node && cp tools/node/package.json tools/node/package-lock.json .venv/node/
	@cd .venv/node && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@
