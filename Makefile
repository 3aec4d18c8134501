# All that a contributor types. `make` alone lists it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOG := $(VENV)/install.log
comma := ,
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test extras test-versions coverage mutants chaos starve fuzz lint docs clean

help:
	@echo 'make demo          train a small classifier that prunes itself, and show what is left'
	@echo 'make test          linters, types, import rules, all tests and doctests'
	@echo 'make extras        install the wheel with each extra into an empty environment, and use it'
	@echo 'make lint          the checks of make test without the tests'
	@echo 'make docs          these pages as a site, in build/site'
	@echo 'make clean         remove $(VENV), caches and builds; runs stay'
	@echo
	@echo 'Proofs that take longer; what they found is in results/reliability.md:'
	@echo 'make chaos         kill commands at random moments, let them go on, and compare  (half an hour)'
	@echo 'make starve        commands without space, memory, rights, compiler, network, home  (an hour)'
	@echo 'make fuzz          a million inputs for each reader of files of strangers  (hours)'
	@echo 'make mutants       small changes to the code, each of which a test must notice  (an hour)'
	@echo 'make coverage      the tests once more, and what of src they leave out'
	@echo 'make test-versions the tests with the oldest, then the newest versions of everything'

demo: $(VENV)/.train.stamp
	@$(BIN)/bayespress demo

test: lint
	@$(BIN)/python -m pytest -n 2

fuzz: $(VENV)/.fuzz.stamp
	@command -v clang > /dev/null || echo 'clang is not here: models in C are not fuzzed'
	@$(BIN)/python -m scripts.fuzz

extras: $(VENV)/.test.stamp
	@$(BIN)/python scripts/check_extras.py

test-versions: $(VENV)/.test.stamp
	@$(BIN)/python scripts/check_versions.py oldest
	@$(BIN)/python scripts/check_versions.py newest

# Their data stand in one place, named in full: tests change folders, and look at what is in them.
coverage: export COVERAGE_FILE := $(CURDIR)/build/coverage/data
coverage: $(VENV)/.test.stamp
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN)/python -m coverage run -m pytest -n 2 -q
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report --fail-under=95

mutants: $(VENV)/.test.stamp
	@$(PIP) install --quiet -c constraints.txt mutmut
	@$(BIN)/python scripts/mutants.py

chaos: $(VENV)/.test.stamp
	@$(BIN)/python scripts/chaos

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
	rm -rf $(VENV) build dist mutants .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
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

$(VENV)/.fuzz.stamp: $(VENV)/.test.stamp
	$(call install,test$(comma)fuzz)
	@touch $@
