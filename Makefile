# The only commands a person must know. Each makes sure of what it needs first, .venv included.
ifeq ($(wildcard scripts/demo.py),)
$(error this Makefile works in its own folder: make -C $(dir $(lastword $(MAKEFILE_LIST))) $(MAKECMDGOALS))
endif
export PYTHON ?= python3
export VENV ?= $(CURDIR)/.venv
# Linters and tests call each other by name.
test test-all test-fast lint bench docs pictures: export PATH := $(VENV)/bin:$(PATH)

SHELL_PROGRAMS = $(shell grep -lE '^\#!.*sh$$' -r scripts docker-base/build docker-base/bin .ci)

.DEFAULT_GOAL := help
.PHONY: help demo test test-all test-fast lint bench docs pictures

help: ## list these commands
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1	\2/p' Makefile | expand -t 16

demo: ## from nothing to an image that processes granules, checked; ARGS=--native goes without Docker
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "demo: $(PYTHON) does not run, or is older than Python 3.11: name another: make demo PYTHON=python3.11"; \
		exit 1; }
	@"$(PYTHON)" scripts/demo.py $(ARGS)

# Without an engine, or a program or C library (status 3), their tests skip; with REQUIRE_ENGINE=1, REQUIRE_NATIVE=1
# they fail.
test: ## all linters and tests, on a Docker engine where there can be one; root gets the programs that are missing
	@scripts/engine-up || { test $$? = 3 && test "$(REQUIRE_ENGINE)" != 1; }
	@scripts/native-up --tests || { test $$? = 3 && test "$(REQUIRE_NATIVE)" != 1; }
	@$(MAKE) --no-print-directory lint
	@python -m pytest -n auto --dist loadfile $(ARGS)

test-all: ## make test with long campaigns: more examples, damaged granules and kills
	@CAMPAIGN=long $(MAKE) --no-print-directory test

test-fast: ## linters and the quick tests, in a minute, without a Docker engine
	@$(MAKE) --no-print-directory lint
	@python -m pytest -n auto -m "not engine and not slow" $(ARGS)

lint: ## linters only
	@scripts/venv
	ruff check .
	shellcheck $(SHELL_PROGRAMS)
	hadolint --failure-threshold style docker-base/Dockerfile
	yamllint --strict .
	check-jsonschema --builtin-schema vendor.circle-ci .circleci/config.yml

bench: ## benchmarks beside other tools, into benchmarks/
	@scripts/venv
	@benchmarks/run $(ARGS)
	@python benchmarks/metadata.py

docs: ## the documentation as web pages, into site/
	@scripts/venv
	@mkdocs build --strict

pictures: ## the picture of the README, into docs/pictures/; needs the C libraries and Chromium
	@scripts/venv
	@python scripts/make-pictures.py $(ARGS)
