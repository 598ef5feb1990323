# Everything a fresh machine with Python 3.11 to 3.13 and make needs: no other set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo demo-download docs notebooks home-picture test test-all test-oldest coverage mutants leaderboard \
	leaderboard-semi-real lint metadata dist review install clean

help:
	@echo "make demo      set up, run the benchmark on the embedded synthetic datasets"
	@echo "make demo-download  watch a download from a stand-in for Zenodo on this machine"
	@echo "make docs      build the documentation: docs/_build/index.html"
	@echo "make notebooks  run all notebooks, whose outputs are committed (some minutes)"
	@echo "make home-picture  draw the picture of README and home page anew (two minutes)"
	@echo "make test      set up, then linters, types, tests and doctests (under 10 minutes)"
	@echo "make leaderboard  train every method and put it on the board (some hours)"
	@echo "make test-all  the full counts of mutations, kills and simulations on top"
	@echo "make test-oldest  the tests with every dependency at its lower bound in setup.cfg"
	@echo "make coverage  the tests, and which lines and branches they reach"
	@echo "make dist      sdist and wheel in dist/, the same bytes for the same commit"
	@echo "make review    what reviewers of packages and data sets ask for, point by point"
	@echo "make mutants   whether tests notice each small change of the code behind the scores"

# All dependencies once; the package itself at each call, so that what is tested is installed.
$(VENV)/dependencies: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip "setuptools>=77" wheel
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ".[tensorflow,export,server,cloud,dev,docs]"
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

# The methods that ship here on the board, in some hours; the same command again goes on.
leaderboard: install
	$(BIN)/llpbench sweep --preset results --workers 2 --out runs/results
	$(BIN)/llpbench leaderboard truth demo-esaworldcover demo-humanpop
	$(BIN)/python leaderboard/fill.py runs/results/runs leaderboard
	$(BIN)/llpbench leaderboard score --pixels
	$(BIN)/llpbench leaderboard build
	$(if $(wildcard ../shared/data/*.zip),$(MAKE) leaderboard-semi-real)

# The same on the semi-real archives, where these are at hand; git keeps nothing of that board.
SEMI_REAL := semi-esa semi-pop
SEMI_REAL_BOARD := runs/semi-real-board
leaderboard-semi-real: install
	$(BIN)/llpbench info semi-esa > /dev/null 2>&1 \
		|| $(BIN)/llpbench import ../shared/data/*esa-world-cover.zip --name semi-esa
	$(BIN)/llpbench info semi-pop > /dev/null 2>&1 \
		|| $(BIN)/llpbench import ../shared/data/*humanpop2015.zip --name semi-pop
	$(BIN)/llpbench sweep --preset results --workers 2 $(SEMI_REAL:%=--dataset %) --out runs/results-semi-real
	$(BIN)/llpbench leaderboard truth --board $(SEMI_REAL_BOARD) $(SEMI_REAL)
	$(BIN)/python leaderboard/fill.py runs/results-semi-real/runs $(SEMI_REAL_BOARD)
	$(BIN)/llpbench leaderboard score --board $(SEMI_REAL_BOARD) --pixels
	$(BIN)/llpbench leaderboard build --board $(SEMI_REAL_BOARD)

docs: install
	$(BIN)/sphinx-build -W --keep-going -b html docs docs/_build

notebooks: install
	$(BIN)/python notebooks/execute.py

# By the commands that anyone would use.
HOME_RUN := runs/home
home-picture: install
	test -f $(HOME_RUN)/run.json \
		|| $(BIN)/llpbench run llpnet --dataset demo-esaworldcover --train-on all -o $(HOME_RUN)
	$(BIN)/llpbench map $(HOME_RUN) -o $(HOME_RUN)/region.tif
	$(BIN)/python benchmarks/home_picture.py $(HOME_RUN)/region.tif docs/home/region.png

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	find llpbench baselines benchmarks leaderboard packaging -name '*.py' -exec $(BIN)/numpydoc lint {} +
	cd tests && ../$(BIN)/mypy --config-file ../pyproject.toml -p llpbench -p llpbench_baselines
	cd tests && ../$(BIN)/lint-imports --no-cache ../pyproject.toml
	$(BIN)/oxlint --deny-warnings llpbench/board/templates/scripts tests/page
	$(BIN)/python packaging/requirements.py tensorflow export torch wandb server cloud > $(VENV)/requirements.txt
	$(BIN)/deptry llpbench baselines --requirements-files $(VENV)/requirements.txt
	$(BIN)/codespell *.md baselines benchmarks docs leaderboard/README.md llpbench packaging tests

# Doctests beside the tests: each worker imports everything once.
# Two processes of one thread each are faster than one process of two threads.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 \
	TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1
PYTEST := $(ONE_THREAD) $(BIN)/pytest -n 2 --dist worksteal

test: lint
	$(PYTEST) -m "not full" --doctest-modules --pyargs tests llpbench llpbench_baselines

test-all: lint
	$(PYTEST) -m "full"

# Each dependency at its lower bound, in an environment of its own. What these versions say of their
# own future is ignored.
OLDEST := .venv-oldest
test-oldest:
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check packaging
	$(OLDEST)/bin/python packaging/requirements.py --oldest tensorflow export server cloud > $(OLDEST)/oldest.txt
	$(OLDEST)/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint $(OLDEST)/oldest.txt ".[tensorflow,export,server,cloud,test]"
	@rm -rf build *.egg-info
	$(ONE_THREAD) $(OLDEST)/bin/pytest -n 2 --dist worksteal -m "not full" \
		-W ignore::DeprecationWarning -W ignore::PendingDeprecationWarning

# The floor is in pyproject.toml; the report for people is .coverage-html/index.html.
coverage: install
	$(ONE_THREAD) $(BIN)/coverage run -m pytest -n 2 --dist worksteal -m "not full"
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

# Points of the lists in packaging/review/points.py; a check is a function there.
review: install
	$(ONE_THREAD) $(BIN)/python packaging/review

# Files for others that follow from setup.cfg and CITATION.cff.
metadata: install
	$(BIN)/python packaging/derive.py

# Times in the archives are those of the commit.
dist: install
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build
	@rm -rf build *.egg-info
	$(BIN)/twine check --strict dist/*

# Stopped and called again it goes on.
mutants: install
	$(ONE_THREAD) $(BIN)/python tests/mutants

clean:
	rm -rf $(VENV) $(OLDEST) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage* .mutants.json docs/_build
