# Everything a fresh machine with Python 3.11 to 3.13 and make needs: no other set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo demo-download docs test test-all leaderboard lint install clean

help:
	@echo "make demo      set up, run the benchmark on the embedded synthetic datasets"
	@echo "make demo-download  watch a download from a stand-in for Zenodo on this machine"
	@echo "make docs      build the documentation, notebooks executed: docs/_build/index.html"
	@echo "make test      set up, then linters, types, tests and doctests (under 10 minutes)"
	@echo "make leaderboard  train every method and put it on the board (an hour or two)"
	@echo "make test-all  the full counts of mutations, kills and simulations on top"

# All dependencies once; the package itself at each call, so that what is tested is installed.
$(VENV)/dependencies: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip "setuptools>=77" wheel
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ".[tensorflow,dev,docs]"
	@rm -rf build *.egg-info
	@touch $@

install: $(VENV)/dependencies
	@rm -rf build *.egg-info
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall .
	@rm -rf build *.egg-info

demo: install
	$(BIN)/llpbench demo

demo-download: install
	$(BIN)/python tests/demo_download.py

# The methods that ship here on the board, in an hour or two; the same command again goes on.
leaderboard: install
	$(BIN)/llpbench sweep --preset results --out runs/results
	$(BIN)/llpbench leaderboard truth demo-esaworldcover demo-humanpop
	$(BIN)/python benchmarks/fill_board.py runs/results/runs leaderboard
	$(BIN)/llpbench leaderboard score --pixels
	$(BIN)/llpbench leaderboard build

docs: install
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml -p llpbench -p llpbench_baselines

# Two processes of one thread each are faster than one process of two threads.
PYTEST := OPENBLAS_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
	$(BIN)/pytest -n 2 --dist worksteal

test: lint
	$(PYTEST) -m "not full"
	$(PYTEST) --doctest-modules --pyargs llpbench llpbench_baselines

test-all: lint
	$(PYTEST) -m "full"

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis docs/_build
