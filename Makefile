# Two commands do all the set-up on a fresh machine: `make app` and `make test`.
PYTHON ?= python3
PORT ?= 8501
BIN := .venv/bin

.PHONY: help app test test-real test-browser lint docs demo screenshots glossary constraints audit clean

app: .venv/app        ## install, build the demo atlas, open the app on http://localhost:8501
	@test -d "$${LGR_HOME:-data}/atlases/demo" || $(BIN)/lgr demo
	@ls -d "$${LGR_HOME:-data}"/runs/demo-* >/dev/null 2>&1 || $(BIN)/lgr demo --benchmark
	$(BIN)/lgr app --port $(PORT)

demo: .venv/app       ## build the simulated demo atlas anew
	$(BIN)/lgr demo --overwrite

test: .venv/dev       ## all tests but those in a real browser
	$(BIN)/pytest -n auto --dist loadfile -m "not browser"

test-real: .venv/dev  ## known answers on real data; fails where LGR_REAL_DATA is missing
	LGR_REAL_DATA_REQUIRED=1 $(BIN)/pytest -m real

test-browser: .venv/dev  ## drives the app in Debian's Chromium (apt install chromium)
	$(BIN)/pytest -n auto --maxprocesses 4 -m browser

screenshots: .venv/dev ## take the README's pictures anew, of the demo atlas
	@test -d "$${LGR_HOME:-data}/atlases/demo" || $(BIN)/lgr demo --benchmark
	$(BIN)/python docs/screenshots.py

glossary: .venv/dev    ## write the tables of docs/glossary.md anew, from docstrings
	$(BIN)/python docs/glossary.py

docs: .venv/dev        ## build the documentation site in artifacts/docs, tutorials run; a warning fails
	@test -d "$${LGR_HOME:-data}/atlases/demo" || $(BIN)/lgr demo
	$(BIN)/sphinx-build -W --keep-going -q -b html docs artifacts/docs

help:                 ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "  %-14s%s\n", $$1, $$2 }'

lint: .venv/dev       ## style, format and types, nothing changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

constraints: .venv/dev ## write constraints.txt anew: every version as it is installed here
	.ci/constraints $(BIN)/pip > constraints.txt.new
	mv constraints.txt.new constraints.txt

audit: .venv/dev      ## known vulnerabilities of the versions in constraints.txt
	.ci/audit $(BIN)

.venv/app: requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/dev: .venv/app requirements-dev.txt requirements-scale.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:                ## remove the environment and what was built; your own atlases stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache artifacts data/atlases/demo
