# `make help` lists what there is. Needs GNU Make 3.81 or newer, sh and Python 3.11 or newer.

HOST ?= 127.0.0.1
PORT ?= 8000

VENV := .venv
PY := $(VENV)/bin/python
INSTALL := PYTHON="$(PYTHON)" sh requirements/install.sh
# What pytest compiles is kept, whatever is set: each of several workers would compile all tests again.
PYTEST := PYTHONDONTWRITEBYTECODE= $(PY) -m pytest
SEVERAL := -n auto --dist loadfile --no-loadscope-reorder

# A stamp is named by the hash of what was installed and written last: where it stands, nothing is missing.
hash = $(shell cksum < $(1) | tr -c '0-9\n' -)
RUNTIME := $(VENV)/runtime-$(call hash,requirements/runtime.txt)
DEV := $(VENV)/dev-$(call hash,requirements/dev.txt)
BENCH := $(VENV)/bench-$(call hash,benchmarks/requirements.txt)
# An environment outlives the Python it was made with, and then runs nothing.
WORKS := $(shell $(PY) -c 'print("yes")' 2>/dev/null)

# The environment always has a USER; only `make token USER=alice` says whose token is meant.
ifeq ($(origin USER),command line)
OWNER := $(USER)
endif
LAN := $(if $(filter-out 127.% localhost ::1,$(HOST)),CHORUS_DEV_LAN=1)
PRODUCTION = DEBUG=0 REDIS_URL=redis://localhost ALLOWED_HOSTS=chat.example.com \
	SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')"

.PHONY: help run install test test-fast test-of chaos autobahn check bench password token cert FORCE

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

# `exec`: what ends make ends the server, and leaves no shell between them.
run: $(RUNTIME) ## serve the site; also PORT=8001, HOST=0.0.0.0 (for your network), TLS=1, PYTHON=python3.13
	@$(LAN) exec $(PY) manage.py up --host "$(HOST)" --port "$(PORT)" $(if $(filter-out 0,$(TLS)),--tls)

install: $(RUNTIME) ## make the environment alone

test: $(DEV) ## run the tests; some of them with ARGS="tests/chat -k history"
	@$(PYTEST) $(SEVERAL) $(ARGS)

test-fast: $(DEV) ## run those that start no process and no browser, in less than a minute
	@$(PYTEST) $(SEVERAL) -m "not process" $(ARGS)

test-of: $(DEV) ## run the tests of one file: make test-of FILE=chat/models.py
	@tests="$$($(PY) -m tests.mirror "$(FILE)")" && $(PYTEST) "$$tests" $(ARGS)

chaos: $(DEV) ## break things under load, for long, and count what is lost; some of it with ARGS="redis_killed --short"
	@$(PY) -m tests.servers.chaos $(ARGS)

check: $(DEV) ## format, lint, types, Django's checks, missing migrations
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) manage.py check
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	@$(PY) manage.py makemigrations --check --dry-run

bench: $(BENCH) ## measure beside other servers, in half an hour, into benchmarks/RESULTS.md; one row: ROW=fanout
	@$(PY) -m benchmarks $(ROW) $(if $(ROUNDS),--rounds $(ROUNDS))

autobahn: $(DEV) ## hold the sockets against RFC 6455, by Autobahn's test suite
	@$(PY) -m tests.autobahn

password: $(RUNTIME) ## a new random password for admin
	@$(PY) manage.py password

token: $(RUNTIME) ## a token for a user: make token USER=alice
	@test -n "$(OWNER)" || { echo "Whose token? make token USER=alice" >&2; exit 2; }
	@$(PY) manage.py create_token "$(OWNER)"

cert: $(RUNTIME) ## a certificate for localhost, in var/localhost.pem
	@$(PY) manage.py make_cert

$(RUNTIME): $(if $(WORKS),,FORCE)
	@$(INSTALL) requirements/runtime.txt $@

$(DEV): $(RUNTIME)
	@$(INSTALL) requirements/dev.txt $@

$(BENCH): $(DEV)
	@$(INSTALL) benchmarks/requirements.txt $@

FORCE:
