# Everything here needs python3 (3.10 or newer), make and git; the rest is
# installed below this directory, from lock files that carry a hash for every
# package:
#
#   .venv          the tap (editable), the emulator, the tests   requirements.lock
#   .tools/NAME    Meltano, Airflow, AWS CLI, PyArrow, targets,   locks/NAME.lock
#                  each apart from the others: versions clash
#   .meltano       what Meltano installs for itself              meltano.yml
#   output         what `make demo` loaded

PYTHON ?= python3
LOADER ?= csv
STREAMS ?=
LOADERS := target-csv target-jsonl target-duckdb target-postgres
# DuckDB 1.2, which target-duckdb needs (see meltano.yml), ends at Python 3.13.
HAS_DUCKDB := $(shell $(firstword $(wildcard .venv/bin/python) $(PYTHON)) -c \
    'import sys; print("yes" if sys.version_info < (3, 14) else "no")' 2>/dev/null)
TOOLS := meltano awscli pyarrow $(if $(filter yes,$(HAS_DUCKDB)),$(LOADERS),$(filter-out %-duckdb,$(LOADERS)))
# Airflow is large, so `make test` works without it. It runs on Python 3.10 to 3.14.
SCALE_TOOLS := meltano airflow

# LOADER=csv is short for LOADER=target-csv. A loader that the demo cannot use is
# refused here, before anything is installed.
DEMO_LOADER = target-$(LOADER:target-%=%)
ifneq ($(filter demo,$(MAKECMDGOALS)),)
ifneq ($(words $(LOADER))$(filter-out $(LOADERS),$(DEMO_LOADER)),1)
$(error LOADER=$(LOADER) is unknown; use csv, jsonl, duckdb or postgres)
endif
ifeq ($(HAS_DUCKDB)$(DEMO_LOADER),notarget-duckdb)
$(error LOADER=$(LOADER) needs Python 3.13 or older; use csv, jsonl or postgres)
endif
endif

# uv reads neither pip's index nor pip's certificates. A mirror that the user
# has set for pip is passed on; unset, nothing is.
ifdef PIP_INDEX_URL
export UV_DEFAULT_INDEX ?= $(PIP_INDEX_URL)
endif
ifdef PIP_CERT
export SSL_CERT_FILE ?= $(PIP_CERT)
endif
# An environment of the caller's must not leak into the ones made here.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONSAFEPATH

# The environments do not depend on each other: make them at the same time.
MAKEFLAGS += --jobs=4 --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak scale catalog lock clean python

BIN := .venv/bin
UV := $(BIN)/uv
UV_QUIET := $(UV) --quiet --no-progress

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.* ## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo
	@echo "Variables, as in: make demo LOADER=postgres VERBOSE=1"
	@echo
	@echo "  LOADER            target of demo: csv (the default), jsonl, duckdb, postgres"
	@echo "  STREAMS           extra streams of demo: plant, telemetry, or names such as assets,dashboards"
	@echo "  VERBOSE           1: demo prints the log of Meltano, the tap and the loader"
	@echo "  EMULATOR          options for demo's emulator: EMULATOR='--portals=100 --latency=0.1';"
	@echo "                    all of them: $(BIN)/python -m emulator --help"
	@echo "  PYTHON            Python of the environments, 3.10 or newer:"
	@echo "                    python3 (the default), python3.12, /path/to/python"

demo: .venv/ready .tools/meltano/ready .tools/plugins ## load an emulated plant with Meltano and show it
	@$(BIN)/python -m demo --loader=$(DEMO_LOADER) $(if $(STREAMS),--streams='$(STREAMS)') \
	    $(if $(filter-out 0 no,$(VERBOSE)),--verbose) -- $(EMULATOR)

test: .venv/ready $(TOOLS:%=.tools/%/ready) .tools/plugins ## check style and types, and run every test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder \
	    $(if $(filter no,$(HAS_DUCKDB)),-m 'not target_duckdb')

lint: .venv/ready ## check style and types only
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/ready ## measure speed and memory (docs/performance.md)
	$(BIN)/python -m benchmarks

soak: .venv/ready ## make long runs against an emulator that fails at random
	$(BIN)/python -m tests.soak

scale: .venv/ready $(SCALE_TOOLS:%=.tools/%/ready) .tools/plugins ## load in 1, 2 and 4 shards with Airflow, and compare
	$(BIN)/python -m scale

catalog: .venv/ready ## rewrite catalog.json from the code
	$(BIN)/tap-iot-sitewise --discover > catalog.json.new
	mv catalog.json.new catalog.json

lock: .venv/ready ## rewrite every lock file with today's versions
	$(COMPILE) --group dev pyproject.toml --output-file requirements.lock
	for tool in meltano awscli pyarrow airflow; do \
	    $(COMPILE) locks/$$tool.in --output-file locks/$$tool.lock || exit; done
	@# The image contains the versions that the tests run with.
	$(COMPILE) --constraint requirements.lock pyproject.toml --output-file locks/tap-iot-sitewise.lock
	$(COMPILE) --constraint requirements.lock locks/hatchling.in --output-file locks/hatchling.lock
	for loader in $(LOADERS); do \
	    sed -n "s|^ *pip_url: \(.*\) --constraint locks/$$loader.lock$$|\1|p" meltano.yml | tr ' ' '\n' \
	        > locks/$$loader.in; \
	    $(COMPILE) locks/$$loader.in --output-file locks/$$loader.lock || exit; \
	    rm locks/$$loader.in; done

clean: ## remove everything that was made here
	rm -rf .venv .tools .meltano output dist build .pytest_cache .mypy_cache \
	    .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One lock for every platform and every Python from 3.10 on. No index address
# is written into it, so that whoever installs from it uses an index of their own.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(UV_QUIET) pip compile --universal \
    --python-version 3.10 --generate-hashes --no-emit-index-url --upgrade

python:
	@command -v $(PYTHON) >/dev/null || { \
	    echo "make: no $(PYTHON) here; install Python 3.10 or newer, or name one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo "make: $(PYTHON) is older than Python 3.10; name a newer one: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: $(PYTHON) has no venv module; install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }

# pip brings uv, whose block in requirements.lock holds its version and hashes.
.venv/uv.txt: requirements.lock | python
	@echo "installing into .venv and .tools; the first time takes a minute"
	@$(PYTHON) -m venv .venv
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $@.new
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps \
	    --require-hashes --requirement $@.new
	@mv $@.new $@

.venv/ready: requirements.lock pyproject.toml .venv/uv.txt
	@$(UV_QUIET) pip sync --python .venv --require-hashes requirements.lock
	@$(UV_QUIET) pip install --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

.tools/%/ready: locks/%.lock .venv/uv.txt
	@$(UV_QUIET) venv --clear --python $(BIN)/python .tools/$*
	@$(UV_QUIET) pip sync --python .tools/$* --require-hashes locks/$*.lock
	@touch $@

# `meltano run` installs a plugin when its pip_url has changed, and does not see
# that a dependency of this tap or a lock file has: then it starts afresh.
.tools/plugins: meltano.yml pyproject.toml requirements.lock $(wildcard locks/*.lock)
	@rm -rf .meltano/extractors .meltano/loaders
	@mkdir -p .tools
	@touch $@
