# Every target is one command that one could type; the logic lives in the program and its tests.
.PHONY: help run invoke test simulate check bench build deploy logs pictures clean
SHARED := $(wildcard ../shared/data/golden_weights.json)

help: ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/\t/' | expand -t 10

run: ## the whole job offline: signals, orders, record, report, mail, under out/
	@cargo run --quiet --locked --no-default-features -- run --offline

EVENT ?= events/preview.json
invoke: ## an event through the artefact of sam build, all around it on this machine: make invoke EVENT=events/trade.json
	@cargo run --quiet --locked --example invoke -- $(EVENT)

test: ## every test; the checks against real prices only where those are at hand
	$(MAKE) simulate
	cargo nextest run --locked --no-tests fail $(if $(SHARED),,-E 'not test(/(^|::)shared::/)')

simulate: ## days full of trouble by the thousand, kills at every call, planted faults caught
	cargo nextest run --locked --cargo-profile simulation --no-default-features --features mutants --test simulation --no-capture

check: ## format, lints, documentation
	cargo fmt --check && cargo clippy --locked --all-targets --features mutants -- -D warnings && RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

bench: ## the figures of the README
	cargo bench --locked --no-default-features

build: ## the function as it is deployed, under .aws-sam/
	sam build

deploy: ## into the AWS account at hand; the first time it asks for the parameters
	sam deploy $(if $(wildcard samconfig.toml),,--guided)

logs: ## follow the logs of both functions; STACK=name for another stack than alchemiser
	sam logs --stack-name $(or $(STACK),alchemiser) --tail

pictures: ## the letter and the report page as the README shows them, under tests/pictures/
	@cargo run --quiet --locked --no-default-features --example pictures

clean: ## forget what was built and what offline runs left
	rm -rf target out .aws-sam
