# `make demo` shows the main job on the examples; `make test` runs everything that CI runs. Both set up .venv/ themselves.
PYTHON ?= python3.11
BIN := .venv/bin
SOURCES := $(shell find index tools agent evaluation app -type f -not -name '*.pyc' 2>/dev/null) pyproject.toml README.md
PACKAGES := index tools agent evaluation app
# langchain-huggingface holds the other environment at huggingface_hub 1; hosted models are called by its second version as well
HUB_2 := "huggingface_hub>=2,<3" pytest pytest-asyncio pytest-socket pytest-xdist soundfile
PIP := -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check live clean

demo: .venv/.wheel
	$(BIN)/python examples/demo.py

test: check .venv-clean/.wheel
	.venv-clean/bin/python tests/import_all.py
	.venv-clean/bin/python -m pip install --quiet --disable-pip-version-check $(HUB_2)
	.venv-clean/bin/python -m pytest -n auto --maxprocesses 4 tests/tools/runners/hosted
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

live: .venv/.dev
	$(BIN)/python -m pytest -m live --force-enable-socket tests/tools/runners/local/test_live.py
	$(BIN)/python -m tests.local_models.table

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict $(addprefix -p langchain_hugginggpt.,$(PACKAGES))
	$(BIN)/mypy --strict --explicit-package-bases tests benchmarks examples

dist/.wheel: $(SOURCES) | .venv/.python
	rm -rf build dist
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	touch $@

.venv/.python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	touch $@

.venv/.dependencies: pyproject.toml constraints.txt | .venv/.python dist/.wheel
	$(BIN)/python $(PIP) "$$(ls dist/*.whl)[embedded,evaluation]"
	touch $@

.venv/.wheel: dist/.wheel .venv/.dependencies
	$(BIN)/python $(PIP) --force-reinstall --no-deps dist/*.whl
	touch $@

.venv/.dev: .venv/.wheel pyproject.toml constraints.txt
	$(BIN)/python $(PIP) --group dev "$$(ls dist/*.whl)[local,diffusion,tabular,media]"
	touch $@

.venv-clean/.wheel: dist/.wheel constraints.txt
	test -d .venv-clean || $(PYTHON) -m venv .venv-clean
	.venv-clean/bin/python $(PIP) dist/*.whl
	.venv-clean/bin/python $(PIP) --force-reinstall --no-deps dist/*.whl
	touch $@

clean:
	rm -rf .venv .venv-clean build dist *.egg-info
