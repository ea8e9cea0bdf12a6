# `make up` gives a running platform; `make test` proves that it works. Both make .venv first, from hash-locked versions.
.PHONY: up fuzz mutants test test-engine test-local test-others test-rest test-comparison test-workers test-clients check-prefect check lint lock golden bench bench-workers bench-workers-load bench-workers-requests compare-drawn soak-workers clean
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
QUICKSTART := examples/quickstart
WARM := images/prefect-warm-worker
# Each supported minor of Prefect, and the day whose versions of its dependencies it is held to.
RELEASES := PYTHONPATH=platform $(PYTHON) tools/releases.py
PREFECTS := $(shell $(RELEASES))
MINORS := $(foreach release,$(PREFECTS),$(basename $(firstword $(subst @, ,$(release)))))
NEWEST := $(lastword $(MINORS))

up: $(VENV)/.runtime
	@$(BIN)/platformctl -C $(QUICKSTART) up
	@$(BIN)/platformctl -C $(QUICKSTART) run hello/quickstart --watch
	@echo; $(BIN)/platformctl -C $(QUICKSTART) status
	@echo; echo "Next: . $(BIN)/activate; cd $(QUICKSTART); platformctl up --workers 4"

# Platforms on Docker, platforms of local processes, and all else run side by side: each waits for Prefect for half of its time.
test: $(VENV)/.dev
	@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target test-engine test-local test-rest

test-engine: TESTS := engine and not others
test-local: TESTS := e2e and not engine and not others
test-others: TESTS := (others or not e2e and not engine) and not comparison
test-engine test-local test-others: $(VENV)/.dev
	TESTCONTAINERS_RYUK_DISABLED=true $(BIN)/pytest -m "$(TESTS)" $(ARGS) || test $$? -eq 5 # none of those asked for

test-rest:
	@$(MAKE) --no-print-directory --jobs=1 --keep-going test-others test-comparison

# The package of the warm worker with the newest Prefect, and with each that it supports, one after the other.
WORKERS := $(VENV)/workers
test-others: $(WORKERS)/$(NEWEST)/.ready # its Prefect serves those that hold the Prefect in memory against a real one
test-comparison: $(WORKERS)/$(NEWEST)/.ready
	$(<D)/bin/pytest $(WARM)/tests -m comparison $(ARGS) || test $$? -eq 5 # as above

test-workers: $(foreach minor,$(MINORS),$(WORKERS)/$(minor)/.ready)
	@set -e; for ready in $^; do echo "Prefect $$(basename $$(dirname $$ready))"; \
	  $$(dirname $$ready)/bin/pytest $(WARM)/tests $(ARGS); done

$(WORKERS)/%/.ready: images/constraints/%.txt constraints/dev.txt $(WARM)/pyproject.toml | $(VENV)/bin/uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	VIRTUAL_ENV=$(@D) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r $<
	VIRTUAL_ENV=$(@D) $(BIN)/uv pip install --quiet --compile-bytecode --no-deps prefect==$(firstword $(subst @, ,$(filter $*.%,$(PREFECTS))))
	VIRTUAL_ENV=$(@D) $(BIN)/uv pip install --quiet --no-deps --constraint constraints/dev.txt pytest iniconfig pluggy hypothesis sortedcontainers hatchling pathspec trove-classifiers
	VIRTUAL_ENV=$(@D) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable $(WARM)
	@touch $@

# The client of each Prefect on the server of each: what is asked of one, the other must know.
test-clients: $(foreach minor,$(MINORS),$(WORKERS)/$(minor)/.client)
	@set -e; for client in $(MINORS); do for server in $(MINORS); do echo "client $$client, server $$server"; \
	  PLATFORMCTL_TEST_SERVER=$$server $(WORKERS)/$$client/bin/python -m pytest -q tests/contract/test_prefect.py tests/contract/test_leases.py tests/contract/test_outages.py $(ARGS); done; done

$(WORKERS)/%/.client: $(WORKERS)/%/.ready pyproject.toml
	VIRTUAL_ENV=$(@D) $(BIN)/uv pip install --quiet --constraint images/constraints/$*.txt --editable . pytest-httpserver hypothesis
	@touch $@

# What a version of Prefect breaks: docs/new-prefect.md. MINOR=3.8 names another one than the newest.
MINOR ?= $(NEWEST)
check-prefect: $(VENV)/.dev $(foreach minor,$(MINORS),$(WORKERS)/$(minor)/.client)
	$(WORKERS)/$(MINOR)/bin/pytest $(WARM)/tests tests/contract/test_leases.py tests/contract/test_outages.py $(ARGS)
	@set -e; for other in $(MINORS); do \
	  echo "client $(MINOR), server $$other"; PLATFORMCTL_TEST_SERVER=$$other $(WORKERS)/$(MINOR)/bin/pytest -q tests/contract/test_prefect.py; \
	  echo "client $$other, server $(MINOR)"; PLATFORMCTL_TEST_SERVER=$(MINOR) $(WORKERS)/$$other/bin/pytest -q tests/contract/test_prefect.py; done
	TESTCONTAINERS_RYUK_DISABLED=true $(BIN)/pytest tests/e2e/test_versions.py -k "$(MINOR)"

# Draws thousands of bad platform.tomls, prefect.yamls and folders, and looks for what isn't one clear error. PLATFORMCTL_FUZZ=N draws
# N of each of four kinds, instead of 1000: a tenth of a second or two for each.
fuzz: $(VENV)/.dev
	nice -n 10 $(BIN)/pytest tests/unit/test_bad_inputs.py --hypothesis-profile=many -W ignore $(ARGS)

# Changes the code in many small ways, one at a time, and tells which of them the tests without an engine don't notice.
# It takes a second or two for each: ARGS="platformctl.plan.* platformctl.adapters.engine.*" names modules.
MUTANTS := $(VENV)/mutants
mutants: $(VENV)/.dev
	rm -rf $(MUTANTS) && mkdir -p $(MUTANTS)/src
	cp -a cli compose constraints docs examples images Makefile platform pyproject.toml README.md templates tests tools $(MUTANTS)
	cp -a platform/platformctl cli/platformctl_cli $(WARM)/src/prefect_warm_worker $(MUTANTS)/src
	cd $(MUTANTS) && $(abspath $(BIN))/mutmut run --max-children 2 $(ARGS)
	cd $(MUTANTS) && $(abspath $(BIN))/mutmut results
	@$(BIN)/python tools/mutants.py $(MUTANTS)/mutants

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests benchmarks tools
	$(BIN)/mypy $(WARM)/src $(WARM)/tests

check: lint test test-workers

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/run.py $(ARGS)

bench-workers: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_workers.py $(ARGS)

# Draws programs and libraries, and compares a warm worker's forks with new interpreters: N of each kind, from a SEED.
N ?= 200
SEED ?= $(shell date +%s)
compare-drawn: $(VENV)/.dev
	PLATFORMCTL_DRAWN=$(N) PLATFORMCTL_SEED=$(SEED) $(BIN)/pytest -q $(WARM)/tests/test_drawn.py $(ARGS) || { echo "SEED=$(SEED)"; exit 1; }

bench-workers-load: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_workers_load.py $(ARGS)

bench-workers-requests: $(VENV)/.dev
	$(BIN)/python benchmarks/bench_workers_requests.py $(ARGS)

soak-workers: $(VENV)/.dev
	$(BIN)/python benchmarks/soak_workers.py $(ARGS)

$(VENV)/bin/uv: images/worker/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "platformctl needs Python 3.11 or later; make PYTHON=python3.12 names another one." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r images/worker/uv.txt
	@touch $@

# The build back end comes from the lock too, so that nothing floats.
$(VENV)/.runtime: $(VENV)/bin/uv constraints/runtime.txt pyproject.toml
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r constraints/runtime.txt -r images/worker/uv.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime constraints/dev.txt $(WARM)/pyproject.toml
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r constraints/dev.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable $(WARM)
	@touch $@

# Versions published in the last week are left out: time for a broken or malicious one to be withdrawn.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --exclude-newer
WEEK_OLD = "$$(date -u -d '-7 days' +%FT00:00:00Z)"
lock: $(VENV)/bin/uv
	$(COMPILE) $(WEEK_OLD) --extra build pyproject.toml -o constraints/runtime.txt
	$(COMPILE) $(WEEK_OLD) --extra build --extra dev --constraint constraints/runtime.txt pyproject.toml -o constraints/dev.txt
	echo uv | $(COMPILE) $(WEEK_OLD) - -o images/worker/uv.txt
	for release in $(PREFECTS); do version=$${release%@*}; minor=$${version%.*}; $(RELEASES) $$minor | \
	  $(COMPILE) $${release#*@}T00:00:00Z --no-annotate --no-emit-package prefect - -o images/constraints/$$minor.txt; done

# What is rendered and committed: the reference stacks, the schema, the texts of plans. Look at the difference.
golden: $(VENV)/.dev
	$(BIN)/pytest -q tests/golden/test_schema.py tests/golden/test_init.py tests/golden --update-golden

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
