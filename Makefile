# One house, a few words to run it. `make help` prints the comments behind the double hashes.
.DEFAULT_GOAL := help
.PHONY: help setup demo test browser-test check serve bench screenshots format lock tools clean

BIN := .venv/bin
STAMP := .venv/.stamp
PACKAGES := clearinghouse settlement web api migrations
# Tests wait for other processes half of their time: two of them for each processor, up to 8, leave none idle.
WORKERS := $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; echo $$((2 * n)))

# The first Python that is new enough: the one asked for (PYTHON=...), the default, or one beside it.
find_python = for p in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$p"; break; fi; done

# One line for each check; the output of those that fail; every check is run before the target fails.
define checks
failed=0; \
check() { name=$$1; shift; if out=$$("$$@" 2>&1); then echo "ok    $$name"; \
	else failed=1; echo "FAIL  $$name"; printf '%s\n' "$$out"; fi; }
endef

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## Create .venv and install everything as locked (quick when nothing changed)

$(STAMP): pyproject.toml requirements-dev.lock scripts/setup.py
	@python=$$($(find_python)); \
	if [ -z "$$python" ]; then echo "error: Python 3.11 or newer is needed, none is on PATH" >&2; exit 1; fi; \
	"$$python" scripts/setup.py install

demo: $(STAMP) ## Show a whole alliance month on this machine (ARGS="--out DIR")
	@$(BIN)/clearinghouse demo $(ARGS)

# Tests start some hundred processes: Python may keep what it compiles, also where the machine is told otherwise.
test: $(STAMP) tools ## Run the tests (ARGS="-k name" for some of them)
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder $(ARGS)

browser-test: $(STAMP) tools ## Run only the tests in a real browser
	@$(BIN)/python -m pytest tests/browser $(ARGS)

check: $(STAMP) ## Check format, lint, types, import layers and dead code
	@$(checks); \
	check format $(BIN)/ruff format --check --no-cache . ; \
	check lint $(BIN)/ruff check --no-cache --output-format concise . ; \
	check types $(BIN)/mypy ; \
	check layers $(BIN)/lint-imports --no-logo ; \
	check 'dead code' $(BIN)/python scripts/dead_code.py ; \
	exit $$failed

serve: $(STAMP) ## Run the service with its pages, on the demo's data where there are no books (ARGS="--port N")
	@$(BIN)/clearinghouse serve $(ARGS)

bench: $(STAMP) ## Measure import and settlement against bare PostgreSQL
	@$(BIN)/python -m tests.benchmarks $(ARGS)

screenshots: $(STAMP) tools ## Make the pictures of all pages in docs/images anew
	@$(BIN)/python -m tests.browser.screenshots

format: $(STAMP) ## Format the code and mend what can be mended by rule
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

lock: $(STAMP) ## Resolve the dependencies anew into the lock files (ARGS="--upgrade")
	@$(BIN)/python scripts/setup.py lock $(ARGS)

# These are no Python packages. Where they cannot be installed, the tests that need them say so and are skipped.
tools: ## Install the system tools that tests use, where we may (root on Debian or Ubuntu)
	@if ! { command -v hledger && command -v pdftotext && command -v chromium; } >/dev/null 2>&1 \
		&& [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		echo 'tools: installing hledger, poppler-utils and chromium'; \
		apt='timeout 240 apt-get -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=60'; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ $$apt update && $$apt install -y --no-install-recommends hledger poppler-utils chromium; } \
			>/dev/null 2>&1 </dev/null || echo 'tools: not possible here; tests that need them are skipped'; \
	fi

clean: ## Remove .venv, caches and build results (no data)
	@rm -rf .venv .setup.lock build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find $(PACKAGES) tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
