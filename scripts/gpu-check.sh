#!/bin/bash
# Checks the CUDA backend on a machine with a GPU and nvcc; needs neither internet nor Node.   scripts/gpu-check.sh [OUTPUT_DIRECTORY]
# In this order, each step under a limit of its own:
#   the build; instructions bit for bit; every op against float64, 10 times with the same bits, a process per family; golden models;
#   the probe; the bench; baselines where PyTorch is, and the targets met and missed; compute-sanitizer's four tools; compiled baselines;
#   where Node and a CUDA addon are, the golden models through Node
# BERTHA_GPU_SECONDS (450) is the time for all: what no longer fits is shortened or skipped. BERTHA_GPU_STEPS is a pattern of the steps to
# run, as in 'ops_.*|bench|targets'; device and build always run. One line a step; OUTPUT_DIRECTORY
# (build/gpu-check) gets report.json and log.txt, rewritten as they grow. Programs and whole logs go to BERTHA_GPU_BUILD
# (OUTPUT_DIRECTORY/build). Exit 1 on a failure. Targets that are missed are no failure.
#
# On a machine without a GPU, to check this script, with ten times the time:
#   scripts/gpu-check.sh --emulated [OUTPUT_DIRECTORY]    runs the same steps on the emulator, with small samples (needs g++)
#   scripts/gpu-check.sh --compile [OUTPUT_DIRECTORY]     only builds them with nvcc, for sm_80, and the probe for sm_90a
set -u
cd "$(dirname "$0")/.." || exit 1
mode=gpu factor=1
case ${1:-} in --emulated) mode=emulated factor=10; shift ;; --compile) mode=compile factor=10; shift ;; esac
case ${1:-} in -*) echo "Expected --emulated, --compile or a directory but received '$1'."; exit 2 ;; esac
out=${1:-build/gpu-check}
work=${BERTHA_GPU_BUILD:-$out/build}
budget=${BERTHA_GPU_SECONDS:-$((450 * factor))}
[[ $budget =~ ^[1-9][0-9]{0,5}$ ]] || { echo "Expected a whole number of seconds for BERTHA_GPU_SECONDS but received '$budget'."; exit 2; }
wanted=${BERTHA_GPU_STEPS:-.*}
mkdir -p "$out" "$work" || exit 1
rm -f "$out"/{report.json,log.txt,running.log,targets.json} "$work"/*.log
device=unknown
commit=${BERTHA_COMMIT:-$(git rev-parse --short HEAD 2> /dev/null)}
export PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 TORCHINDUCTOR_CACHE_DIR=$work/inductor
# shellcheck source=scripts/gpu-steps.sh
. scripts/gpu-steps.sh

families=(linear attention layer_norm rows columns pool_linear top_k pick_targets)
probes=(bits rates launches waits barrier clusters)
target=native sample=() repeats=10 quick=() place=cuda no_run=
case $mode in
  emulated) device=emulated target=emulated sample=(--sample 0/8) repeats=2 quick=(--quick) place=cpu ;;
  compile) device='none (compiled for sm_80)' target=sm_80 no_run='only compiled' ;;
  gpu)
    if must_print='^.+, [0-9]+\.[0-9]+, [0-9.]+$' step device 15 nvidia-smi --query-gpu=name,compute_cap,driver_version --format=csv,noheader; then
      device=$(head -n 1 "$work/device.log")
    elif ! command -v nvidia-smi > /dev/null; then
      no_run='there is no nvidia-smi: is there a driver?'
    fi
    ;;
esac
echo "device: $(json_string "$device")"

# A program of the build, or the reason why not. A test counts what passed, the probe and the bench print measurements.
passed='^[1-9][0-9]* passed, 0 failed$'
run() { # run NAME LIMIT PROGRAM ARGUMENTS...
  local name=$1 limit=$2 program=$3 must_print=$passed
  [[ $program == *_test ]] || must_print='^[{]"(what|probe)": .*[}]$'
  shift 3
  if [ -n "$no_run" ]; then skipped "$name" "$no_run"
  elif [ ! -x "$work/$program" ]; then skipped "$name" "$program was not built"
  else step "$name" "$limit" "$work/$program" "$@"; fi
}

if [ $mode = gpu ] && [ -n "$no_run" ]; then skipped build "$no_run"; else must_print='^built [0-9]+ programs$' step build 150 scripts/gpu-build.sh "$target" "$work"; fi
run instructions 60 instructions_test
for family in "${families[@]}"; do run "ops_$family" 60 kernels_test "$family" "${sample[@]}" --repeat $repeats; done
run golden_models 60 models_test test/native/cuda/models
for part in "${probes[@]}"; do
  if [ $mode = emulated ]; then skipped "probe_$part" 'there is no GPU'; else run "probe_$part" 15 probe "$part"; fi
done
run bench 110 bench "${quick[@]}" --seconds '{seconds}'

compare() { # compare NAME LIMIT ARGUMENTS...
  local name=$1 limit=$2
  if [ -n "$no_run" ]; then skipped "$name" "$no_run"
  elif [ -z "$(measurements what "$work/bench.log")" ]; then skipped "$name" 'there are no measurements to compare with'
  elif ! command -v python3 > /dev/null; then skipped "$name" 'there is no Python'
  else
    must_print='^targets: ' step "$name" "$limit" python3 scripts/gpu-targets.py "$work/bench.log" "$out/targets.json" --device "$place" --seconds '{seconds}' "${@:3}"
    cat "$work/$name.log"
  fi
}
compare targets 120

nvcc_folder=$(dirname "$(readlink -f "${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}")")
sanitizer=$(command -v compute-sanitizer || ls {"$nvcc_folder",/usr/local/cuda/bin}/{,../compute-sanitizer/}compute-sanitizer 2> /dev/null | head -n 1)
mapfile -t cases < test/native/cuda/sanitizer-cases.txt
for tool in memcheck racecheck synccheck initcheck; do
  bare=() must_print='ERROR SUMMARY: 0 errors'
  [ $tool = initcheck ] && bare=(--bare)
  [ $tool = racecheck ] && must_print='RACECHECK SUMMARY: 0 hazards'
  if [ $mode = emulated ]; then skipped $tool 'there is no GPU'
  elif [ -n "$no_run" ]; then skipped $tool "$no_run"
  elif [ -z "$sanitizer" ]; then skipped $tool 'there is no compute-sanitizer on PATH or beside nvcc'
  elif [ ! -x "$work/kernels_test" ]; then skipped $tool 'kernels_test was not built'
  else step $tool 60 "$sanitizer" --tool $tool --error-exitcode 9 "$work/kernels_test" "${cases[@]}" "${bare[@]}"; fi
done

must_print=
compare compiled 240 --compiled

golden=(test/golden/tiny test/golden/sentence) addons=(build/Release/bertha.node build-cuda/Release/bertha.node)
[ $mode = emulated ] && golden=(test/golden/tiny/bert-relu) addons=(build-cuda-emulated/Release/bertha.node)
addon=
for file in "${addons[@]}"; do # the first that finds a device
  [ -z "$addon" ] && [ $mode != compile ] && [ -f "$file" ] && timeout -k 5 20 node -e '
    process.exit(require(require("path").resolve(process.argv[1])).deviceProblem("cuda") === "" ? 0 : 1)' "$file" > /dev/null 2>&1 && addon=$file
done
if [ -n "$addon" ] && [ -d node_modules/tsx ]; then
  step golden_models_by_node 60 env BERTHA_ADDON="$addon" node --import tsx scripts/golden.ts "${golden[@]}" --device cuda
else
  skipped golden_models_by_node 'no Node, no addon with CUDA (BERTHA_CUDA=1 npm ci), or no GPU'
fi
echo "report: $out/report.json"
exit $failed
