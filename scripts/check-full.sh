#!/usr/bin/env bash
# `npm run check:full`: all that .ci/run leaves out for time. Every static check, the addons of every system, the tests that arm64 has under qemu, those that run on musl and on
# Windows (wine; both skip by name what is missing), then every test with
# BERTHA_TEST_FULL=1 (exhaustive inputs instead of seeded samples) on every instruction set of this machine, with both builds.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run --silent check
npm run --silent check:arm64
npm run --silent check:asm -- --arm64
npm run --silent build:targets
npm run --silent check:arm64 -- --quick --addon build-targets/linux-arm64-gnu/bertha.node
npm run --silent check:musl -- --full
npm run --silent check:windows -- --full
node scripts/cuda-gate.mjs all
node scripts/cuda-emulated.mjs
scripts/gpu-check.sh --emulated
if command -v nvcc > /dev/null; then scripts/gpu-check.sh --compile build/gpu-check-compile; fi
npm run --silent build
npm run --silent build:cmake

export BERTHA_TEST_FULL=1
for isa in $(node -p "require('./build/Release/bertha.node').isa().available.join(' ')"); do
  for build in build build-cmake; do
    printf '\n== tests: %s, %s\n' "$build" "$isa"
    BERTHA_ISA=$isa BERTHA_ADDON=$build/Release/bertha.node npm run --silent test
  done
done

npm run --silent check:runtimes
npm run --silent weights:small
for dtype in fp16 int8; do npm run --silent check:runtimes -- --quick --weights "$dtype"; done

npm run --silent check:tsan
npm run --silent check:asan
npm run --silent fuzz
npm run --silent fuzz:vectors
npm run --silent soak:generation
npm run --silent soak:server
npm run --silent check:clients
npm run --silent check:openapi -- --python "${PYTHON:-python3}" --examples 10000
