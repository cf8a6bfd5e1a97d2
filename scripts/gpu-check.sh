#!/bin/bash
# Checks the CUDA backend on a machine with a GPU and nvcc; needs neither internet nor Node.   scripts/gpu-check.sh [OUTPUT_DIRECTORY]
# Builds the kernels' tests for the GPU that is here, runs every op against float64, 20 times, and the tools of compute-sanitizer on a
# sample; where Node and a CUDA addon exist, also the models against their golden values. One line a step; report.json; exit 1 on a failure.
set -u
cd "$(dirname "$0")/.."
out=${1:-build/gpu-check}
mkdir -p "$out"
nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
[ -x "$nvcc" ] || { echo "Expected nvcc (set CUDACXX or PATH) but did not find it."; exit 1; }
command -v nvidia-smi > /dev/null || { echo "Expected nvidia-smi but did not find it: is there a driver?"; exit 1; }
device=$(nvidia-smi --query-gpu=name,compute_cap,driver_version --format=csv,noheader | head -1)
[ -n "$device" ] || { echo "Expected a GPU but nvidia-smi lists none."; exit 1; }
echo "device: $device"
failed=0
steps=()
step() { # step NAME COMMAND...
  local name=$1 start=$SECONDS verdict=ok
  shift
  "$@" > "$out/$name.log" 2>&1 || { verdict=FAILED; failed=1; }
  printf '%-24s %s  %ss  %s\n' "$name" "$verdict" $((SECONDS - start)) "$(tail -1 "$out/$name.log")"
  steps+=("{\"step\": \"$name\", \"verdict\": \"$verdict\", \"seconds\": $((SECONDS - start))}")
}
skipped() {
  printf '%-24s skipped: %s\n' "$1" "$2"
  steps+=("{\"step\": \"$1\", \"verdict\": \"skipped\", \"reason\": \"$2\"}")
}
sources=(native/cuda/*.cu native/engine/allocator.cc native/engine/program.cc test/native/cuda/kernels_test.cc)
step build "$nvcc" -std=c++17 -O3 -lineinfo -arch=native -Inative -Itest/native "${sources[@]}" -o "$out/kernels_test"
if [ -x "$out/kernels_test" ] && [ $failed = 0 ]; then
  repeats() { for _ in $(seq 20); do "$out/kernels_test" || return 1; done; }
  step ops_against_float64 "$out/kernels_test"
  step twenty_repeats repeats
  if sanitizer=$(command -v compute-sanitizer); then
    for tool in memcheck racecheck synccheck initcheck; do
      step "$tool" "$sanitizer" --tool "$tool" --error-exitcode 9 "$out/kernels_test" --sample 0/12
    done
  else
    skipped compute_sanitizer "compute-sanitizer is not installed"
  fi
fi
if command -v node > /dev/null && [ -f build/Release/bertha.node ] && [ -d node_modules/tsx ]; then
  step golden_models node --import tsx scripts/golden.ts test/golden/tiny test/golden/sentence --device cuda
else
  skipped golden_models "no Node, or no addon (BERTHA_CUDA=1 npm ci)"
fi
(IFS=,; printf '{"device": "%s", "steps": [%s]}\n' "$device" "${steps[*]}") > "$out/report.json"
echo "report: $out/report.json"
exit $failed
