# Each command does all of its own set-up on a fresh machine with Python 3.10 or newer.
#
#   make demo    the bookstore, with the emulator      make test    the tests, on SQLite
#   make check   lint, types, layers, all tests, docs  make build   the wheel, tried in an empty environment
#   make bench   measured beside others                make docs    the documentation
#
#   make test-databases   the tests that need PostgreSQL, MariaDB, Redis and RabbitMQ
#   make test-profiles    the tests under the settings of unusual sites (tests/profiles)
#   make test-browser     the tests that need Chromium, and some of them packages of npm
#   make test-live        the journeys of tests/live, on the emulator and on the Logto of LOGTO_LIVE_ENDPOINT=...
#
# A server or a browser that is missing skips its tests; with CI=true it fails them.

SHELL := /bin/sh
.DELETE_ON_ERROR:

# The newest Python at hand that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3.14 python3.13 python3.12 python3.11 python3.10 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && { echo $$python; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin

# Two processes run the tests. One that has finished takes tests from the other.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest
PARALLEL := -n $(WORKERS) --dist worksteal
# Without npm, the tests that need its packages skip or, with CI=true, fail.
NPM_PACKAGES := $(if $(shell command -v npm),build/npm/.installed)
# The tests that sites' databases could change.
DATABASE_TESTS := $(wildcard $(addprefix tests/,access api audit organizations sessions sign_in sync users webhooks) \
	$(addprefix tests/console/test_,agreement.py creation.py members.py) tests/api_keys/test_service.py)

.PHONY: demo test test-databases test-browser test-live test-profiles check lint types layers docs build bench generate format clean python

demo: $(VENV)/.installed
	@$(BIN)/python manage.py demo

test: $(VENV)/.installed
	$(PYTEST) $(PARALLEL) -m "not (browser or live or mysql or postgresql or rabbitmq or redis)" $(PYTEST_ARGS)

test-databases: $(VENV)/.installed
	TEST_DATABASE=postgresql $(PYTEST) $(PARALLEL) -m "not (mysql or rabbitmq or redis)" $(DATABASE_TESTS) $(PYTEST_ARGS)
	TEST_DATABASE=mysql $(PYTEST) $(PARALLEL) -m "not (postgresql or rabbitmq or redis)" $(DATABASE_TESTS) $(PYTEST_ARGS)
	TEST_DATABASE=postgresql $(BIN)/python -m tests.profiles --profile custom_user $(PYTEST_ARGS)
	TEST_DATABASE=mysql $(BIN)/python -m tests.profiles --profile custom_user $(PYTEST_ARGS)
	$(PYTEST) -m "rabbitmq or redis" tests/sessions tests/scale tests/sockets tests/sync $(PYTEST_ARGS)

test-profiles: $(VENV)/.installed
	$(BIN)/python -m tests.profiles --jobs $(WORKERS) $(PYTEST_ARGS)

test-browser: $(VENV)/.installed $(NPM_PACKAGES)
	$(PYTEST) -m browser tests/browser $(PYTEST_ARGS)

# LOGTO_LIVE_M2M_APP_ID=... and LOGTO_LIVE_M2M_APP_SECRET=... belong to LOGTO_LIVE_ENDPOINT=...; make passes them on.
test-live: $(VENV)/.installed
	$(PYTEST) -m live tests/live $(PYTEST_ARGS)

check: lint types layers test test-profiles test-databases test-browser test-live docs

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python tests/check_phrases.py
	$(BIN)/python -m tests.openapi.generate --check

types: $(VENV)/.installed-dev
	$(BIN)/mypy

layers: $(VENV)/.installed-dev
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html docs docs/_build/html
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html -D language=ja docs docs/_build/html/ja
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html -D language=zh_CN docs docs/_build/html/zh-cn

build: $(VENV)/.installed-dev
	rm -rf dist build/try
	$(BIN)/python -m build --outdir dist
	$(PYTHON) -m venv build/try
	build/try/bin/python -m pip install --quiet dist/*.whl
	cd build && try/bin/python -I ../tests/try_wheel.py

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench

# The types of the Management API, from the recorded OpenAPI document of Logto.
generate: $(VENV)/.installed-dev
	$(BIN)/python -m tests.openapi.generate

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist docs/_build db.sqlite3

python:
	@test -n "$(PYTHON)" || { echo "Python 3.10 or newer is needed, and none was found. Install one, or say PYTHON=/path/to/python."; exit 1; }

$(VENV)/bin/python: | python
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing; on Debian and Ubuntu: apt install python3-venv."; exit 1; }

$(VENV)/.installed: requirements.txt $(VENV)/bin/python
	@echo "Installing what is needed into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

# The libraries that the browser tests load. No script of a package runs.
$(NPM_PACKAGES): tests/browser/package.json tests/browser/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@
