# Two commands do everything: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DJANGO_SETTINGS_MODULE := privatechathub.settings

.PHONY: run install dev test check format bench lock messages clean

## run: install what is missing, then serve the hub (HOST=0.0.0.0 PORT=8000 for the home network)
run: install
	@$(BIN)/python manage.py fetch_builtin
	@exec $(BIN)/python manage.py serve

## install: make .venv and install the pinned packages
install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the hub's packages into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

## dev: the same, with the tools for tests and checks
dev: $(VENV)/.installed-dev

$(VENV)/.installed-dev: requirements-dev.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing packages and tools into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $(VENV)/.installed $@

## test: everything that can be tested on this machine
test: dev
	$(BIN)/pytest -n auto --dist loadgroup $(ARGS)

## check: format, lint, types, import contracts, Django's own checks, missing migrations
check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py check --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run

## format: put the code into its form
format: dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

## bench: how fast the hub is, beside its AI server measured directly
bench: dev
	$(BIN)/python -m tests.bench $(ARGS)

## lock: pin the packages anew
lock: dev
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" --quiet --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" --quiet --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
