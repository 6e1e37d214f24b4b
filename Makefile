# The commands of this repository. `make demo` and `make test` install what they need; `cargo build` needs only Rust.

# A directory with programs that compare pgvitals with others under load; left out when it isn't there.
BENCH_TOOLS ?= ../shared/tools/bench

.PHONY: help demo test test-clients check bench fmt config channel-binding pictures

help:
	@echo 'make demo    PostgreSQL, pgvitals and applications, on this machine; DEMO_SECONDS=20 makes it end by itself'
	@echo 'make test    every test; installs PostgreSQL and drivers where they are missing'
	@echo 'make test-clients  every client, of which make test runs a part; installs more. WRITE_DOCS=1 writes docs/clients.md'
	@echo 'make check   format, lints and the tests that need no server'
	@echo 'make bench   benchmarks, and the comparison with other proxies when its tools are there'
	@echo 'make fmt     format the sources'
	@echo 'make channel-binding  write docs/channel-binding.md from what real libpq does'
	@echo 'make pictures write docs/images, while make demo runs on port 7480'
	@echo 'make config  write config/pgvitals.toml and docs/config.md from src/config/keys.rs'

demo:
	@scripts/bootstrap postgres
	cargo build --quiet --bin pgvitals --example demo
	@exec cargo run --quiet --example demo

test:
	@scripts/bootstrap
	cargo fmt --check
	cargo clippy --all-targets --all-features --quiet -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --quiet
	cargo test --quiet --features fault-injection --doc
	cargo test --quiet --features fault-injection --lib --bins --tests

test-clients:
	@scripts/bootstrap clients
	cargo test --quiet --features all-clients --test it the_table_of_clients

check:
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings
	cargo test --quiet --lib --test tidy

bench:
	cargo bench
	@if [ -f '$(BENCH_TOOLS)/bench.py' ]; then \
	    cargo build --release && \
	    python3 '$(BENCH_TOOLS)/bench.py' --pgvitals target/release/pgvitals \
	        --one-cpu --rounds 5 --seconds 3 --clients 1,32 && \
	    python3 benches/load/run.py --tools '$(BENCH_TOOLS)' --one-cpu && \
	    python3 benches/load/server_side.py --tools '$(BENCH_TOOLS)' --one-cpu; \
	fi

fmt:
	cargo fmt

config:
	cargo run --quiet -- config > config/pgvitals.toml.new && mv config/pgvitals.toml.new config/pgvitals.toml
	cargo run --quiet -- config --markdown > docs/config.md.new && mv docs/config.md.new docs/config.md

pictures:
	@scripts/bootstrap
	PGVITALS_HTTP=127.0.0.1:7480 PGVITALS_NODE_MODULES=$$PWD/.cache/browser/node_modules PGVITALS_CHROMIUM=$$(command -v chromium) \
	    node tests/browser/pictures.mjs docs/images

channel-binding:
	@scripts/bootstrap
	WRITE_DOCS=1 cargo test --quiet --test it the_table_of_channel_binding
