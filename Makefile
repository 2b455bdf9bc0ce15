# `make test` does all the set-up by itself; the other targets are its parts.
PYTHON ?= $(firstword $(shell command -v python3.11 || command -v python3))
VENV   := .venv
BIN    := $(VENV)/bin
# more than the two cores there are: the end-to-end tests mostly wait; what is measured runs alone, after them
WORKERS ?= 4
PO     := $(wildcard locales/*/LC_MESSAGES/bot.po)
MO     := $(PO:.po=.mo)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_WARN_SCRIPT_LOCATION := 1
# compiled once, and not by each of the hundred processes of a test run again
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run demo test quick lint types i18n diagrams check-diagrams bench lock format clean setup setup-dev chromium pictures soak newcomer

run: setup            ## the Telegram bot where there is a token, else the demo in the browser
	@if [ -n "$$ACCESSBOT_TELEGRAM_TOKEN" ]; then exec $(BIN)/python -m bot run; else exec $(BIN)/python -m bot demo $(DEMO); fi

demo: setup           ## the demo, whatever the environment says; DEMO="--port 9000 --reset" are its options
	@env -u ACCESSBOT_TELEGRAM_TOKEN $(BIN)/python -m bot demo $(DEMO)

test: setup-dev chromium lint types i18n check-diagrams   ## lint, types, arrows, catalogues, diagrams, and every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --ignore tests/bench
	$(BIN)/python -m pytest -s tests/bench

chromium:
	@sh scripts/chromium.sh

quick: setup-dev      ## the tests that need neither a browser nor PostgreSQL
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not browser and not postgres"

lint: setup-dev       ## ruff, and the arrows between packages
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: setup-dev      ## mypy, strict
	$(BIN)/mypy

format: setup-dev
	$(BIN)/ruff format . && $(BIN)/ruff check --fix .

i18n: setup-dev       ## every key in four languages, none left over
	$(BIN)/python scripts/texts.py check

diagrams: setup-dev   ## draw docs/flows/*.mmd from the flows
	$(BIN)/python -m bot.conversations.diagram docs/flows

check-diagrams: setup-dev
	$(BIN)/python -m bot.conversations.diagram docs/flows --check

pictures: setup-dev chromium  ## photograph the demo for the README
	$(BIN)/python scripts/pictures.py

soak: setup-dev       ## 200 kills over 1,000 dialogues on each database, PostgreSQL restarted every 20 s, 100,000 forged buttons, 200 rounds of two managers, 10,000 ends due at once; KILLS, DIALOGUES, TOGETHER, RESTARTS, ROUNDS, BACKLOG change the numbers
	$(BIN)/python -m pytest -n 0 -s -m soak tests/e2e tests/handlers tests/test_two_managers.py

newcomer: setup-dev chromium  ## from `git clone` to a receipt, as somebody who has never seen this; timed
	$(BIN)/python scripts/newcomer.py

bench: setup-dev      ## measured figures, as ratios
	ACCESSBOT_BENCH_USERS=100000 $(BIN)/python -m pytest -q -s tests/bench

lock: setup-dev       ## pin every dependency and the build back end anew
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --python-version 3.11 pyproject.toml --group build -o requirements.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --python-version 3.11 pyproject.toml --group dev --group build -o requirements-dev.lock

setup: $(VENV)/.run $(MO)
setup-dev: $(VENV)/.dev $(MO)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(VENV)/bin/python
	@if [ ! -e $(VENV)/.dev ]; then $(BIN)/python -m pip install -q --require-hashes -r requirements.lock; fi
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

%.mo: %.po | $(VENV)/.run
	@$(BIN)/pybabel -q compile -i $< -o $@

clean:
	rm -rf $(VENV) data build dist .pytest_cache .mypy_cache .ruff_cache locales/*/LC_MESSAGES/bot.mo
