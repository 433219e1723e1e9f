# `make demo` to try llmdash, `make test` to test it. Both get what is missing, on Debian 12 with Python 3.11.

PYTHON ?= python3
CLUSTER ?= sandbox
BIN := .venv/bin
INSTALL := $(PYTHON) llmdash/tooling/install.py
# The real control plane is built by tools of the development lock.
KIND := $(if $(filter real,$(CLUSTER)),test,demo)
# Checks of the settings need an installation; this one holds nothing.
CHECKED := env -u DATABASE_URL -u REDIS_URL LLMDASH_STATE_DIR=$(CURDIR)/var/check
COMPILE := $(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
	--python-version 3.11 --custom-compile-command "make lock"

.PHONY: help demo demo-reset test faults soak bench docs check check-lint check-types check-imports check-templates check-sizes \
	check-django check-locks install controlplane controlplane-if-possible lock format

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /	/' | expand -t 22

demo: ## llmdash at http://127.0.0.1:8000 with a cluster to play with; PORT=, CLUSTER=real, KUBECONFIG=, VERBOSE=1
	@$(INSTALL) $(KIND)
	@if [ "$(CLUSTER)" = real ]; then $(BIN)/python -m tests.controlplane build; fi
	@exec $(BIN)/python -m llmdash.demo --cluster $(CLUSTER) $(if $(VERBOSE),--verbose)

demo-reset: install ## Remove the demo's data
	@exec $(BIN)/python -m llmdash.demo --reset

test: install controlplane-if-possible ## Everything that CI runs
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

faults: install controlplane-if-possible ## Faults injected from outside, with real parts: kills, outages, silence
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/faults --ignore tests/faults/test_crowd.py --no-header -q
	$(BIN)/python -m pytest tests/faults/test_crowd.py --no-header -q  # compares times, so it has the machine for itself

soak: install controlplane ## A random sequence of 50 faults at full length, for hours; SOAK="--seed 7 --count 3 --shorten 20"
	$(BIN)/python -m tests.faults.soak $(SOAK)

bench: install controlplane ## Speed, side by side, on a real control plane with 10,000 pods; ROWS="list sync" for some
	$(BIN)/python -m tests.bench $(ROWS)

check: install ## What needs no cluster: style, types, imports, templates, sizes, migrations, locks
	@$(MAKE) --no-print-directory -j2 --keep-going --output-sync=target \
		check-types check-lint check-imports check-templates check-sizes check-django check-locks

check-lint:
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-types:
	$(BIN)/mypy

check-imports:
	$(BIN)/lint-imports

check-templates:
	$(BIN)/djlint --check --quiet templates

check-sizes:
	$(BIN)/python -m llmdash.tooling.sizes

check-django:
	@$(BIN)/python -m llmdash.demo.state var/check
	$(CHECKED) $(BIN)/python manage.py makemigrations --check --dry-run
	$(CHECKED) $(BIN)/python manage.py check --fail-level WARNING

check-locks:
	$(BIN)/python -m llmdash.tooling.locks

docs: install ## The documentation's site, in var/site
	@$(BIN)/python -m llmdash.demo.state var/check
	$(CHECKED) $(BIN)/mkdocs build --quiet

install: ## .venv with everything for development, and Debian's chromium, postgresql, prometheus, redis-server
	@$(INSTALL) test

controlplane: install ## Build the real Kubernetes control plane and Helm for tests (minutes; kept in ~/.cache/llmdash)
	$(BIN)/python -m tests.controlplane build
	$(BIN)/python -m tests.helm.build

controlplane-if-possible: install
	@$(BIN)/python -m tests.controlplane build && $(BIN)/python -m tests.helm.build || { \
		echo; echo "NO REAL CONTROL PLANE, OR NO HELM, for the reason above: its tests are skipped, and where CI=true this fails."; echo; \
		test "$(CI)" != true; }

format: install ## Put imports and layout in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: install ## Write the lock files anew from pyproject.toml
	$(COMPILE) --upgrade pyproject.toml -o requirements.lock
	$(COMPILE) --upgrade pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock llmdash/tooling/bootstrap.in -o llmdash/tooling/bootstrap.lock
