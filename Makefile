# Aftertouch: `make up` needs Python 3.11 or newer, make, and PyPI. Nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help up test check bench test-kafka test-clients faults faults-ci faults-thrice kafka-tools lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(STAMP) ## Start everything on this machine until Ctrl-C
	@exec $(BIN)/aftertouch up

test: $(STAMP) ## Run the tests: neither root nor Java, under five minutes
	@exec $(BIN)/python -m pytest -m "not apache and not kcat and not faults and not slow and not browser and not clients"

check: $(STAMP) ## Style, types, import contracts, architecture and documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_docs.py

bench: $(STAMP) ## Measure throughput and delay on this machine
	@exec $(BIN)/python -m tests.bench

test-kafka: $(STAMP) kafka-tools ## Run the Kafka and end-to-end tests on Apache Kafka, and those that use kcat
	$(BIN)/python -m pytest -m "apache or kcat or slow"
	$(BIN)/python -m pytest -m "not apache and not kcat and not faults and not browser and not clients" --kafka=apache tests/e2e tests/faults
	$(BIN)/python -m pytest -m "not slow" --kafka=apache $(addprefix tests/embedded/kafka/test_,frames.py clients.py admin.py kafka_python.py kcat.py)

test-clients: $(STAMP) ## Run the Go client that Grafana uses against the embedded ClickHouse
	@tests/embedded/install-tools
	@exec $(BIN)/python -m pytest -m clients tests/embedded

faults: $(STAMP) ## Kill, stop and cut off parts of a running stack for 25 minutes; FAULTS="--seed=7 --kafka=apache"
	@exec $(BIN)/python -m pytest -m faults -s tests/faults $(FAULTS)

faults-ci: $(STAMP) kafka-tools ## A part of it, on both Kafkas side by side, in less than 15 minutes
	@exec $(BIN)/python -m tests.faults.rounds --ci --seeds 1

faults-thrice: $(STAMP) kafka-tools ## All of it with three seeds on both Kafkas; the table goes to build/faults/results.md
	@exec $(BIN)/python -m tests.faults.rounds

kafka-tools:
	@deploy/apache-kafka/install-tools

lock: $(STAMP) ## Write requirements.lock anew from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
	  --no-emit-index-url --no-header --output-file requirements.lock pyproject.toml

clean: ## Remove the virtual environment and what tools left; the data stays
	rm -rf $(VENV) build *.egg-info deploy/apache-kafka/target tests/bench/peers/kafka-streams/target
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find schemas services deploy tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Aftertouch needs Python 3.11 or newer: '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)."; \
	  echo "Say which to use, for example: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
