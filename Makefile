# All that a contributor types. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOG := $(VENV)/install.log
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test extras lint docs clean starve

help:
	@echo 'make demo    train a small classifier that prunes itself, and show what is left'
	@echo 'make test    linters, types, import rules, all tests and doctests'
	@echo 'make extras  install the wheel with each extra into an empty environment, and use it'
	@echo 'make lint    the checks of make test without the tests'
	@echo 'make docs    these pages as a site, in build/site'
	@echo 'make starve  take space, memory, compiler, network, home away, and see that nothing is lost'
	@echo 'make clean   remove $(VENV), caches and builds; runs stay'

demo: $(VENV)/.train.stamp
	@$(BIN)/bayespress demo

test: lint
	@$(BIN)/python -m pytest -n 2

extras: $(VENV)/.test.stamp
	@$(BIN)/python scripts/check_extras.py

lint: $(VENV)/.test.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

starve: $(VENV)/.test.stamp
	@$(BIN)/python scripts/starve.py

docs: $(VENV)/.test.stamp
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo 'open build/site/index.html'

clean:
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

# pip writes to a log that is shown where something fails. The build backend is installed before the
# project, and not into a place of its own, so that the constraints hold for it too.
define install
	@echo 'installing bayespress[$(1)] and what it needs (about 200 MB, once)…'
	@{ $(PIP) install -c constraints.txt hatchling editables && \
	   $(PIP) install -c constraints.txt --no-build-isolation -e '.[$(1)]'; } > $(LOG) 2>&1 \
	  || { tail -n 25 $(LOG); echo 'the installation failed; all of its log is in $(LOG)'; exit 1; }
endef

$(VENV)/.venv.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'bayespress needs Python 3.11 or newer; name one: make PYTHON=python3.12 …'; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.train.stamp: $(VENV)/.venv.stamp pyproject.toml constraints.txt
	$(call install,train)
	@touch $@

$(VENV)/.test.stamp: $(VENV)/.venv.stamp pyproject.toml constraints.txt
	$(call install,test)
	@touch $@ $(VENV)/.train.stamp
