# Two commands on a fresh machine: `make demo` and `make test`. They need Python 3.11+ and make.
PYTHON ?= python3
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install install-dev demo run test lint types bench translations clean

help:
	@echo "make demo   a running demonstration trial with synthetic participants (PORT=5000)"
	@echo "make run    the real thing, empty: first start prints a one-time token for the first administrator"
	@echo "make test   everything: tests on SQLite and, where a server answers, PostgreSQL; lint; types"
	@echo "make bench  speed, as ratios against floors built in the same run"

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed; set PYTHON=/path/to/python3")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.made requirements.txt
	@echo "Installing what the application needs ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

translations/zh/LC_MESSAGES/messages.mo: translations/zh/LC_MESSAGES/messages.po $(VENV)/.installed
	@$(BIN)/pybabel --quiet compile -d translations

translations: translations/zh/LC_MESSAGES/messages.mo
install: $(VENV)/.installed translations
install-dev: $(VENV)/.installed-dev translations

demo: install
	@MODE=demo PORT=$(PORT) $(BIN)/python serve.py

run: install
	@MODE=production PORT=$(PORT) $(BIN)/python serve.py

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev
	$(BIN)/mypy

test: install-dev lint types
	$(BIN)/python -m pytest -n 2 -q

bench: install-dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis
