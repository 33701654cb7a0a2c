# Everything runs in .venv, which every target makes itself. `make` alone shows this help.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
OUT := out

.DEFAULT_GOAL := help
.PHONY: help run test check format bench profile warm lock clean

## help: show what there is
help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)

## run: clean and deduplicate sample_data/ into out/ and say what was done
run: $(READY)
	@$(BIN)/cleancopy run sample_data --output $(OUT) --overwrite

## test: run all tests
test: $(READY)
	$(BIN)/python -m pytest -n auto

## check: lint, format and types; changes nothing
check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

## format: let ruff put right what it can
format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

## bench: time cleancopy beside its peers (benchmarks/README.md); ARGS="--sizes 5000" is passed on
bench: $(READY)
	@$(BIN)/python -m benchmarks.run $(ARGS)

## profile: print where the time goes, step by step; ARGS="--limit 20000" is passed on
profile: $(READY)
	@$(BIN)/python -m benchmarks.profile_steps $(ARGS)

## warm: compile the kernels that have changed, so that no run has to
warm: $(READY)
	@$(BIN)/python -m pipeline.warm

## lock: choose the versions in constraints.txt anew
lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --extra dev \
		--no-emit-index-url --no-annotate --no-header pyproject.toml --output-file constraints.txt
	@sed -i.bak '1i\
	# What `make` installs: the same tomorrow as today. Made anew by `make lock`.' constraints.txt && rm constraints.txt.bak

## clean: remove the environment and what was made
clean:
	rm -rf .venv $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "cleancopy needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "setting up .venv (once, for a minute or two)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@$(BIN)/python -m pipeline.warm
	@touch $@
