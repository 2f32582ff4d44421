# make run starts the page, make test does what CI does; both need Python 3.11 or newer, no more.
# PYTHON names the interpreter for a new environment, VENV its folder, ARGS goes to the program.
# TORCH names a build of PyTorch: cpu takes 200 MB where the package index may hand out 5 GB of CUDA.

VENV ?= .venv
ARGS ?=
TORCH ?=
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
SOURCES := app.py gnet tests
BUILDS := https://download.pytorch.org/whl
# First and from its own index alone, else a newer version of the package index would win.
BUILD = $(if $(TORCH),grep '^torch' requirements.txt | \
	    $(PIP) install --index-url $(BUILDS)/$(TORCH) -r /dev/stdin,:)

.DEFAULT_GOAL := help
.PHONY: help setup run test check style types tests format bench assets

help: ## what can be made
	@sed -n 's/^\([a-z]*\):[^#]*## /\1	/p' Makefile | expand -t 10

setup: $(VENV)/.installed ## create the environment and install what the page needs

run: setup ## start the page on port 7860: make run ARGS="--host 0.0.0.0 --port 8000"
	@$(PY) app.py $(ARGS)

test: $(VENV)/.installed-dev ## what CI runs: find or install a browser, then make check
	@$(PY) tests/support/chromium.py
	@$(MAKE) --no-print-directory check

check: style types tests ## format, lint, types and tests

style: $(VENV)/.installed-dev ## format and lint, changing nothing
	@$(PY) -m ruff format --check $(SOURCES)
	@$(PY) -m ruff check $(SOURCES)

types: $(VENV)/.installed-dev ## the type checker
	@$(PY) -m pyright --pythonpath $(PY)

tests: $(VENV)/.installed-dev ## the tests alone, a file a process: make tests ARGS="-k pictures"
	@$(PY) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
	    --no-loadscope-reorder $(ARGS)

format: $(VENV)/.installed-dev ## format the code and mend what the linter can mend
	@$(PY) -m ruff format $(SOURCES)
	@$(PY) -m ruff check --fix $(SOURCES)

bench: setup ## all ratios: beside torchvision and captum, from the page, with 50 viewers
	@$(PY) -m gnet bench
	@$(PY) -m gnet bench --page
	@$(PY) -m tests.load
	@$(PY) -m tests.load --beside-training

assets: setup ## record the shipped example answers again, after new weights
	@$(PY) -m gnet assets $(ARGS)

# The first interpreter that starts and is new enough; a name on the path may be an empty stub.
$(PY):
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        "$$python" -m venv $(VENV) && exit 0; \
	        echo "$$python cannot make an environment; on Debian install python3-venv." >&2; \
	        rm -f $(PY); \
	        exit 1; \
	    fi; \
	done; \
	echo "gnet needs Python 3.11 or newer, and '$(or $(PYTHON),python3)' is not;" \
	    "name one: make run PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(VENV)/.installed: requirements.txt | $(PY)
	@$(BUILD)
	@$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt | $(PY)
	@$(BUILD)
	@$(PIP) install -r requirements-dev.txt
	@touch $(VENV)/.installed $@
