# Everything a person needs by two commands: `make demo` and `make test`. Both install what they need.
# A fresh machine needs: a Rust toolchain (1.95 or newer), Python 3.11 or newer, make, a C compiler.

SHELL := /bin/sh
.DEFAULT_GOAL := help

LOCAL := infra/local
# SAM, cargo-lambda and zig find one another by the path.
SAM_PATH := $(CURDIR)/.venv/sam/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0
ARCHITECTURE := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
# What tests kill processes by is compiled into the functions of tests alone, which have a folder of their own.
TEST_TARGET := target/failpoints
FUNCTIONS := -p audit -p import -p ingest -p lifecycle -p odoo-watch -p operator -p outbox -p purchase-order
FAILPOINTS := --features audit/failpoints,import/failpoints,ingest/failpoints,lifecycle/failpoints,odoo-watch/failpoints,operator/failpoints,outbox/failpoints,purchase-order/failpoints
ORDERS ?= 25
VERSION ?= 19
CASES ?= 10000000
FUZZED := delimited fixed xml json x12 edifact workbook workbook_part feed expression

# The reference of the mapping language, which tests and benchmarks compare ours with; it is never in production.
JSONATA := jsonata@2.2.2
WITH_JSONATA = folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && npm install --silent --no-audit --no-fund --prefix "$$folder" $(JSONATA)

.PHONY: help setup build demo test lint unit fuzz lifecycles ten-thousand test-odoo templates runbooks bench jsonata-fixtures package clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

setup: ## Install the Python environments of the local cloud and of SAM (nothing when they are there)
	@$(LOCAL)/install

build: ## Build the functions and the command line, for this machine
	cargo build --locked $(FUNCTIONS) -p interplant-cli

demo: setup build ## Run the whole road on this machine; DATA=<folder> takes a legacy ERP's export, ORDERS=<n> of it; KEEP=1 stays up, PACKAGED=1 deploys what `make package` built
	target/debug/interplant demo --odoo $(VERSION) $(if $(DATA),--data $(DATA) --orders $(ORDERS)) $(if $(KEEP),--keep) $(if $(PACKAGED),--packaged)

test: setup lint unit templates lifecycles ## Run all tests

lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

unit: setup
	cargo test --locked --workspace --exclude interplant-lifecycle-tests --exclude interplant-odoo-sandbox
	@# Shows which recordings of real servers were compared, and what was left out.
	cargo test --locked -p interplant-odoo-sandbox -- --nocapture

templates: setup ## Check the templates as SAM and CloudFormation do
	PATH="$(SAM_PATH)" sam validate --config-env state
	PATH="$(SAM_PATH)" sam validate --config-env application

runbooks: setup ## Write what code and templates know into the heads of runbooks and alarm pages
	INTERPLANT_WRITE_RUNBOOKS=1 cargo test --locked -p interplant-repo-tests runbooks

build-for-tests:
	cargo build --locked --target-dir $(TEST_TARGET) $(FUNCTIONS) $(FAILPOINTS)

lifecycles: setup build-for-tests ## Run whole lifecycles on the local cloud, with faults; by the sandbox
	INTERPLANT_BINARIES=$(TEST_TARGET)/debug cargo test --locked -p interplant-lifecycle-tests -- --nocapture

ten-thousand: setup build-for-tests ## Read a file of 10,000 rows, one of them bad, whose reader is killed at row 6,000
	TEN_THOUSAND=1 INTERPLANT_BINARIES=$(TEST_TARGET)/debug cargo test --locked -p interplant-lifecycle-tests -- --nocapture one_bad_row_of_ten_thousand

test-odoo: ## Run the lifecycles against a real Odoo: ODOO_URL, ODOO_DB, ODOO_LOGIN, ODOO_API_KEY
	@test -n "$(ODOO_URL)" || { echo "make test-odoo: set ODOO_URL, ODOO_DB, ODOO_LOGIN and ODOO_API_KEY"; exit 1; }
	$(MAKE) lifecycles
	cargo test --locked -p interplant-odoo

fuzz: ## Fuzz the readers of plants' files in CASES=10000000 cases each, or one of them: TARGET=x12; RANDOM_CASES=1 without guidance
	nice -n 10 tests/fuzz/run $(CASES) $(or $(TARGET),$(FUZZED))

bench: ## Measure the mapping room beside its peers, within two minutes; needs Node
	@$(WITH_JSONATA) && JSONATA="$$folder/node_modules/jsonata" cargo bench --locked -p interplant-mapping --bench peers

jsonata-fixtures: ## Record what jsonata-js says of the expressions in shared/mapping/tests/oracle; needs Node
	@$(WITH_JSONATA) && JSONATA="$$folder/node_modules/jsonata" node shared/mapping/tests/oracle/record.mjs

package: setup ## Build the functions in release as SAM deploys them; ARCHITECTURE=arm64 for Graviton
	PATH="$(SAM_PATH)" sam build --config-env application --parameter-overrides Architecture=$(ARCHITECTURE)

clean: ## Remove builds and local state; the Python environments stay
	cargo clean
	rm -rf .aws-sam .local
