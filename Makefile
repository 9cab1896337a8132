# Two commands do: `make run` and `make test`. Nothing needs to be installed first but a
# Python of 3.12 or newer, make and git.

.DEFAULT_GOAL := help
.PHONY: help run client test check bench soak reset install lock format
.NOTPARALLEL:

PORT ?= 8000
HOST ?= 127.0.0.1
PYTHON ?=
PY := .venv/bin/python
# Which tests, and how: make test ARGS="tests/consent -x"
ARGS ?=

help:
	@echo "make run     the portal with its demo, on http://localhost:$(PORT) (PORT=… for another)"
	@echo "make client  an AI company's client talks to the running demo over HTTP"
	@echo "make test    all tests, on servers of their own"
	@echo "make check   lint, types, storeys, templates, migrations, settings of production"
	@echo "make bench   measure; results belong in docs/benchmarks.md"
	@echo "make soak    the long trials: crashes, floods, full-size proofs"
	@echo "make reset   delete the demo and everything in it"

install:
	@PYTHON="$(PYTHON)" sh deploy/find-python deploy/install.py

run: install
	@LINER_DEMO=1 exec $(PY) manage.py run_demo --host "$(HOST)" --port "$(PORT)"

client: install
	@LINER_DEMO=1 exec $(PY) manage.py demo_client --url "http://localhost:$(PORT)"

test: install
	@exec $(PY) -m pytest -n 2 --dist worksteal $(ARGS)

check: install
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy .
	.venv/bin/lint-imports
	.venv/bin/djangofmt --check templates
	$(PY) deploy/check.py

bench: install
	@exec $(PY) -m pytest -p no:randomly -s --override-ini="python_files=bench_*.py" $(or $(ARGS),tests/benchmarks)

soak: install
	@LINER_TEST_SOAK=1 exec $(PY) -m pytest -p no:randomly -s --override-ini="python_files=soak_*.py test_*.py" $(or $(ARGS),tests)

reset: install
	@exec $(PY) manage.py reset_demo

format: install
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	.venv/bin/djangofmt templates

# After a change in pyproject.toml. No address of an index may get into the file.
lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --python-version 3.12 --group dev pyproject.toml --upgrade --quiet --output-file requirements.lock
