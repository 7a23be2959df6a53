# make demo    set up .venv; the reference solutions hand in what is then checked and scored
# make test    the tests that CI runs       make test-slow   those that take minutes
# make lint    format, lint, types          make format      mend what can be mended
# make bench   how quick it is, as ratios         make docs        the pages, in build/docs
# make fuzz    the parsers, with inputs of strangers

PYTHON ?= python3
BIN := .venv/bin
# The solutions draw photographed faces, so that these are what they are compared with, not the drawn ones.
FACES := baselines/references/face-test.efficientnet-lite0.npz
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test test-slow lint format bench docs fuzz clean

demo: .venv/score
	@rm -rf demo && mkdir demo
	$(BIN)/python -m fixtures.make demo/hw2_data
	$(BIN)/python -m reference_models generate dcgan acgan dann uda --data demo/hw2_data --out demo/submission
	$(BIN)/grader check demo/submission --data demo/hw2_data
	TORCH_HOME=demo $(BIN)/grader score demo/submission --data demo/hw2_data --reference $(FACES) \
	  --allow-skipped -o demo/score.json

test: .venv/dev
	$(BIN)/coverage erase
	# A temporary folder of this run alone: what an earlier one left can't fail it, and nothing stays behind.
	@temporary=$$(mktemp -d) && trap 'rm -rf "$$temporary"' EXIT && \
	  OMP_NUM_THREADS=1 PYTEST_DEBUG_TEMPROOT=$$temporary \
	  $(BIN)/coverage run -m pytest -m "not slow" --numprocesses auto --dist loadfile
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=95

test-slow: .venv/dev
	$(BIN)/python -m pytest -m slow

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python -m benchmarks

fuzz: .venv/dev
	$(INSTALL) --editable '.[score,dev,fuzz]'
	$(BIN)/python -m tests.fuzz --target all --runs 100000 --keep build/fuzz

docs: .venv/dev
	$(BIN)/python -m sphinx -W -q -b html docs build/docs

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Files that say what .venv holds, so that nothing is installed twice.
.venv/score: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) --editable '.[score]'
	@touch $@

.venv/dev: .venv/score
	$(INSTALL) --editable '.[score,dev]'
	@touch $@

clean:
	rm -rf .venv demo build dist .coverage .coverage.*
