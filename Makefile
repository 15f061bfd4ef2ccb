# Two commands on a fresh machine: `make demo` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := out/demo
ETL := $(BIN)/etl

.DEFAULT_GOAL := help
.PHONY: help install demo test lint format check bench soak reference lowest lock samples clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1	/' | expand -t 12

$(VENV)/.installed: pyproject.toml .ci/lock.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; name one: make PYTHON=python3.12 ...")'
	@echo "installing into $(VENV) (about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement .ci/lock.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

install: $(VENV)/.installed ## set up .venv with everything

# Each line names the exit code that its sample must give: 1 where the sample holds bad rows, 0 where it holds none.
demo: install ## the main job on sample data, against the embedded sandbox
	@rm -rf $(DEMO) && mkdir -p $(DEMO) && touch $(DEMO)/etl.toml
	@expect() { code=$$1; shift; echo; echo "\$$ $$*"; "$$@"; got=$$?; \
	  test $$got -eq $$code || { echo "expected exit code $$code, got $$got" >&2; exit 1; }; }; \
	expect 1 $(ETL) check mappings/contacts.yaml sample_data/contacts.csv --out $(DEMO)/check && \
	expect 1 $(ETL) run mappings/contacts.yaml sample_data/contacts.csv --target sandbox --config $(DEMO)/etl.toml --out $(DEMO)/contacts && \
	expect 1 $(ETL) run mappings/contacts_workbook.yaml sample_data/contacts.xlsx --target sandbox --config $(DEMO)/etl.toml --out $(DEMO)/workbook && \
	expect 0 $(ETL) run mappings/purchases.yaml sample_data/purchases.csv --target sandbox --config $(DEMO)/etl.toml --out $(DEMO)/purchases && \
	expect 1 $(ETL) run mappings/opt_outs.yaml sample_data/opt_outs.csv --target sandbox --config $(DEMO)/etl.toml --out $(DEMO)/opt_outs --yes
	@echo; echo "Open in a browser:        $(DEMO)/contacts/report.html (and workbook, purchases, opt_outs beside it)"
	@echo "Open in Excel:            $(DEMO)/workbook/annotated.xlsx, the sheet with what is wrong; to_fix.xlsx, the rows to mend"
	@echo "What became of each row:  $(DEMO)/contacts/results.csv"
	@echo "What arrived:             sqlite3 $(DEMO)/.etl/sandbox.db 'SELECT email, name, tags FROM contacts LIMIT 5'"
	@echo "Next, with your own file: source $(BIN)/activate, then see README.md"

test: install ## lint, types, layers and the whole suite
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n auto -m "not soak"

lint: install ## ruff, mypy and the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install ## put the code into ruff's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: test ## what CI runs

bench: install ## the benchmarks; each compares two things and prints a ratio
	@for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

soak: install ## what takes minutes: ten million rows, many more generated cases
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -m "soak or not soak" --timeout 3600

reference: install ## write mappings/REFERENCE.md and the schema for editors anew
	$(BIN)/python tests/make_reference.py

samples: install ## write sample_data/ anew
	$(BIN)/python tests/make_samples.py

lowest: ## the suite with the lowest versions that pyproject.toml admits
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --requirement .ci/lowest.txt
	.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	.venv-lowest/bin/python -m pytest -n auto -m "not soak"

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --group dev pyproject.toml
lock: ## write the locks in .ci/ anew (needs uv)
	$(LOCK) -o .ci/lock.txt
	$(LOCK) --resolution lowest-direct -o .ci/lowest.txt

clean: ## remove what the targets above made
	rm -rf $(VENV) .venv-lowest out etl-reports build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
