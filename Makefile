# Two commands matter: `make demo` shows it, `make test` proves it. Each sets up what it needs.
VENV ?= .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
WORKERS ?= auto
ARGS ?=

export PIP_ROOT_USER_ACTION := ignore

.PHONY: demo serve test check bench clean chromium
.DEFAULT_GOAL := demo

demo: $(VENV)/.installed
	$(BIN)/sales-ledger demo $(ARGS)

serve: $(VENV)/.installed
	$(BIN)/sales-ledger serve $(ARGS)

# Everything: style, types, imports, then all tests on SQLite, PostgreSQL and in the browser.
test: chromium check
	$(BIN)/python -m pytest -n $(WORKERS) -m "not soak" $(ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(ARGS)

# Caches and build output only: databases are data, and .venv costs a download.
clean:
	rm -rf build dist src/*.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	{ echo "make test: the browser tests need Debian's chromium: apt-get install chromium (or run: $(BIN)/pytest -m 'not browser')" >&2; exit 1; }

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or later found: install one, or name it with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing sales-ledger into $(VENV) (first time: about a minute)"
	$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing sales-ledger and its development tools into $(VENV) (first time: about a minute)"
	$(PIP_INSTALL) -e '.[dev]'
	@touch $(VENV)/.installed $@
