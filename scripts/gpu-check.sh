#!/bin/bash
# Checks the CUDA backend on a machine with a GPU and nvcc; needs neither internet nor Node.   scripts/gpu-check.sh [OUTPUT_DIRECTORY]
#   1. builds the tests below for the GPU that is here
#   2. instructions bit for bit; every op against float64, 20 times with the same bits; golden models; compute-sanitizer's four tools
#   3. the bench, and where PyTorch is, the targets met and missed; where Node and a CUDA addon are, the golden models through Node
# One line a step, a log each, and all of it in report.json; exit 1 on a failure. Targets that are missed are no failure.
#
# On a machine without a GPU, to check this script:
#   scripts/gpu-check.sh --emulated [OUTPUT_DIRECTORY]    runs the same steps on the emulator, with small samples (needs g++)
#   scripts/gpu-check.sh --compile [OUTPUT_DIRECTORY]     only builds them with nvcc, for sm_80
set -u
cd "$(dirname "$0")/.." || exit 1
mode=gpu
case ${1:-} in --emulated) mode=emulated; shift ;; --compile) mode=compile; shift ;; esac
out=${1:-build/gpu-check}
mkdir -p "$out"
failed=0
steps=()
step() { # step NAME COMMAND...
  local name=$1 start=$SECONDS verdict=ok
  shift
  "$@" > "$out/$name.log" 2>&1 || { verdict=FAILED; failed=1; }
  printf '%-24s %s  %ss  %s\n' "$name" "$verdict" $((SECONDS - start)) "$(tail -1 "$out/$name.log" | cut -c1-120)"
  steps+=("{\"step\": \"$name\", \"verdict\": \"$verdict\", \"seconds\": $((SECONDS - start))}")
  [ $verdict = ok ]
}
skipped() {
  printf '%-24s skipped: %s\n' "$1" "$2"
  steps+=("{\"step\": \"$1\", \"verdict\": \"skipped\", \"reason\": \"$2\"}")
}

tests=(instructions_test kernels_test models_test bench)
host=(native/cuda/cuda_backend.cc native/cuda/device_problem.cc native/cuda/device_weights.cc native/cuda/value_plan.cc
  native/engine/allocator.cc native/engine/program.cc)
if [ $mode = emulated ]; then
  device='emulated'
  compiler=("${CXX:-g++}" -std=c++17 -O2 -pthread -ffp-contract=off -Wno-unknown-pragmas -DBERTHA_CUDA_EMULATED=1)
  shared=("${host[@]}" test/native/cuda-emulator/{emulator,fiber,runtime_emulated,transactions}.cc
    test/native/cuda-emulator/kernels/{attention_fp32,attention_mma,layer_norm,linear_fp32,linear_mma,linear_small,rows,top_k}.cc)
  source_of() { [ "$1" = instructions_test ] && echo test/native/cuda-emulator/kernels/instructions_test.cc || echo "test/native/cuda/$1.cc"; }
  sample=(--sample 0/8) repeats=2 quick=(--quick)
else
  nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
  [ -x "$nvcc" ] || { echo "Expected nvcc (set CUDACXX or PATH) but did not find it."; exit 1; }
  architecture=native
  if [ $mode = gpu ]; then
    command -v nvidia-smi > /dev/null || { echo "Expected nvidia-smi but did not find it: is there a driver?"; exit 1; }
    device=$(nvidia-smi --query-gpu=name,compute_cap,driver_version --format=csv,noheader | head -1)
    [ -n "$device" ] || { echo "Expected a GPU but nvidia-smi lists none."; exit 1; }
  else
    device='none (compiled for sm_80)' architecture=sm_80
  fi
  compiler=("$nvcc" -std=c++17 -O3 -lineinfo "-arch=$architecture")
  shared=(native/cuda/*.cu "${host[@]}")
  source_of() { ls "test/native/cuda/$1.cc" "test/native/cuda/$1.cu" 2> /dev/null; }
  sample=() repeats=20 quick=()
fi
echo "device: $device"

# Compiled once each, several at a time.
build() {
  local sources=("${shared[@]}") objects=() source status=0
  for test in "${tests[@]}"; do sources+=("$(source_of "$test")"); done
  printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I{} bash -c '"${@:2}" -Inative -Itest/native -c "$1" -o "'"$out"'/$(basename "$1").o"' _ {} "${compiler[@]}" || return 1
  for source in "${shared[@]}"; do objects+=("$out/$(basename "$source").o"); done
  for test in "${tests[@]}"; do
    "${compiler[@]}" "${objects[@]}" "$out/$(basename "$(source_of "$test")").o" -o "$out/$test" || status=1
  done
  return "$status"
}
if step build build && [ $mode != compile ]; then
  step instructions "$out/instructions_test"
  step ops_against_float64 "$out/kernels_test" "${sample[@]}" --repeat $repeats
  step golden_models "$out/models_test" test/native/cuda/models
  if [ $mode = gpu ] && sanitizer=$(command -v compute-sanitizer); then
    for tool in memcheck racecheck synccheck; do
      step "$tool" "$sanitizer" --tool "$tool" --error-exitcode 9 "$out/kernels_test" --sample 0/12
    done
    step initcheck "$sanitizer" --tool initcheck --error-exitcode 9 "$out/kernels_test" --sample 0/12 --bare
  else
    skipped compute_sanitizer "compute-sanitizer is not installed, or there is no GPU"
  fi
  step bench "$out/bench" "${quick[@]}"
  if command -v python3 > /dev/null; then
    [ $mode = gpu ] && place=cuda || place=cpu
    step targets python3 scripts/gpu-targets.py "$out/bench.log" "$out/targets.json" --device "$place" && cat "$out/targets.log"
  else
    skipped targets "there is no Python"
  fi
fi
golden=(test/golden/tiny test/golden/sentence)
addons=(build/Release/bertha.node build-cuda/Release/bertha.node)
[ $mode = emulated ] && golden=(test/golden/tiny/bert-relu) addons=(build-cuda-emulated/Release/bertha.node)
addon=
for file in "${addons[@]}"; do # the first that finds a device
  [ -z "$addon" ] && node -e 'process.exit(require(require("path").resolve(process.argv[1])).deviceProblem("cuda") === "" ? 0 : 1)' "$file" 2> /dev/null && addon=$file
done
if [ $mode != compile ] && [ -n "$addon" ] && [ -d node_modules/tsx ]; then
  step golden_models_by_node env BERTHA_ADDON="$addon" node --import tsx scripts/golden.ts "${golden[@]}" --device cuda
else
  skipped golden_models_by_node "no Node, no addon with CUDA (BERTHA_CUDA=1 npm ci), or no GPU"
fi
{
  (IFS=,; printf '{"device": "%s", "steps": [%s]' "$device" "${steps[*]}")
  [ -f "$out/targets.json" ] && { printf ', "results": '; cat "$out/targets.json"; }
  printf '}\n'
} > "$out/report.json"
echo "report: $out/report.json"
exit $failed
