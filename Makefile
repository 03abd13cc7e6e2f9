# The commands of Matinee. Each prepares what it needs by itself (scripts/setup) and is quick the second time.
SHELL := /bin/bash
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE ?= 1

.PHONY: setup demo test check faults load bench serve format help

help:            ## show the commands
	@grep -hE '^[a-z]+: *.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:           ## prepare Debian packages, virtual environment and pinned Python packages
	@scripts/setup

demo: setup      ## MovieLens through the whole Personalize workflow, on an embedded server
	@$(BIN)/matinee demo $(ARGS)

serve: setup     ## serve the Personalize APIs on http://127.0.0.1:8765
	@$(BIN)/matinee serve $(ARGS)

test: setup      ## run every test, two files at a time
	@$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: setup     ## formatting, lint, strict types, import rules
	@echo "check: formatting" && $(BIN)/ruff format --check .
	@echo "check: lint" && $(BIN)/ruff check .
	@echo "check: types" && $(BIN)/mypy
	@echo "check: import rules" && $(BIN)/lint-imports

format: setup    ## format and mend what can be mended by itself
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

faults: setup    ## the long fault suites: 20 kills each during delivery, batch jobs, exports, deletions and random events
	@$(BIN)/python -m tests.faults.delivery_rounds 20
	@$(BIN)/python -m tests.faults.job_rounds 20
	@$(BIN)/python -m tests.faults.event_rounds 20

load: setup      ## a server under load while everything changes, for LOAD_SECONDS (60)
	@$(BIN)/python benchmarks/load.py --seconds $(or $(LOAD_SECONDS),60) $(ARGS)

bench: setup     ## run the benchmarks and write their dated reports
	@for script in $(filter-out benchmarks/related_items.py benchmarks/actions_segments.py,$(wildcard benchmarks/*.py)); do echo "bench: $$script" && $(BIN)/python $$script || exit 1; done
