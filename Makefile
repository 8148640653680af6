# What people type. Everything stands on the CMake presets of CMakePresets.json, which work by themselves too.
.PHONY: help setup build demo test test-asan test-tsan serve bench bench-tracking accuracy lint format clean
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
ONNXOP := build/release/onnxop

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what building needs (Debian packages, ONNX Runtime); nothing twice
	@tools/setup

build: setup ## build the release: build/release/onnxop
	@tools/build release onnxop onnxop-train

demo: build ## train on MNIST, serve the model, classify ten digits over HTTP
	@tools/demo

test: setup ## build and run every test
	@tools/build release && tools/run_tests release

test-asan: setup ## build and run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@tools/build asan && tools/run_tests asan

test-tsan: setup ## the tests of the rooms with threads under ThreadSanitizer
	@tools/build tsan && tools/run_tests tsan

serve: build ## serve the store's models on 127.0.0.1:8080
	@$(ONNXOP) serve

bench: setup ## measure training, scoring and serving; writes bench.json
	@tools/build release onnxop-bench
	@build/release/bin/onnxop-bench --out bench.json

bench-tracking: setup ## measure the tracking interface beside MLflow's own server; writes bench-tracking.json
	@tools/build release onnxop-bench-tracking
	@build/release/bin/onnxop-bench-tracking --out bench-tracking.json

accuracy: build ## train the MNIST example with three seeds and compare with 99.2 %
	@tools/accuracy

lint: setup ## clang-format, clang-tidy, the room check
	@tools/lint

format: setup ## reformat the sources
	@git ls-files '*.h' '*.cpp' | xargs clang-format -i

clean: ## remove what was built (the store and the downloads stay)
	@rm -rf build bench.json bench-tracking.json
