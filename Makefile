# `make up` gives a running platform; `make test` proves that it works. Both make .venv first, from hash-locked versions.
.PHONY: up test test-engine test-rest check lint lock golden bench bench-workers bench-workers-load soak-workers clean
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
QUICKSTART := examples/quickstart
WARM := images/prefect-warm-worker

up: $(VENV)/.runtime
	@$(BIN)/platformctl -C $(QUICKSTART) up
	@$(BIN)/platformctl -C $(QUICKSTART) run hello/quickstart --watch
	@echo; $(BIN)/platformctl -C $(QUICKSTART) status
	@echo; echo "Next: . $(BIN)/activate; cd $(QUICKSTART); platformctl up --workers 4"

# What needs an engine and what doesn't run side by side: each waits for Prefect for half of its time.
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target test-engine test-rest

test-engine test-rest: $(VENV)/.dev
	TESTCONTAINERS_RYUK_DISABLED=true $(BIN)/pytest -m "$(if $(filter test-engine,$@),engine,not engine)" $(ARGS) || test $$? -eq 5 # none of those asked for

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests benchmarks
	$(BIN)/mypy $(WARM)/src $(WARM)/tests

check: lint test

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py $(ARGS)

bench-workers: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_workers.py $(ARGS)

bench-workers-load: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_workers_load.py $(ARGS)

soak-workers: $(VENV)/.dev
	$(BIN)/python benchmarks/soak_workers.py $(ARGS)

$(VENV)/bin/uv: constraints/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "platformctl needs Python 3.11 or later; make PYTHON=python3.12 names another one." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r constraints/uv.txt
	@touch $@

# The build back end comes from the lock too, so that nothing floats.
$(VENV)/.runtime: $(VENV)/bin/uv constraints/runtime.txt pyproject.toml
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r constraints/runtime.txt -r constraints/uv.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime constraints/dev.txt $(WARM)/pyproject.toml
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r constraints/dev.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable $(WARM)
	@touch $@

# Versions published in the last week are left out: time for a broken or malicious one to be withdrawn.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --constraint constraints/held.in --exclude-newer
WEEK_OLD = "$$(date -u -d '-7 days' +%FT00:00:00Z)"
# What the local runtime's environments are held to: of each supported minor of Prefect what it was released with, on that day.
PREFECTS = 3.6.29@2026-05-02 3.7.8@2026-07-10 3.8.8@2026-10-07
lock: $(VENV)/bin/uv
	$(COMPILE) $(WEEK_OLD) --extra build pyproject.toml -o constraints/runtime.txt
	$(COMPILE) $(WEEK_OLD) --extra build --extra dev --constraint constraints/runtime.txt pyproject.toml -o constraints/dev.txt
	echo uv | $(COMPILE) $(WEEK_OLD) - -o constraints/uv.txt
	for release in $(PREFECTS); do version=$${release%@*}; echo "prefect==$$version" | \
	  $(COMPILE) $${release#*@}T00:00:00Z --no-annotate --no-emit-package prefect - -o images/constraints/$${version%.*}.txt; done

# What is rendered and committed: the reference stacks, the schema, the texts of plans. Look at the difference.
golden: $(VENV)/.dev
	$(BIN)/pytest -q tests/golden/test_schema.py tests/golden/test_init.py tests/golden --update-golden

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
