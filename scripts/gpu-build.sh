#!/bin/bash
# Builds the programs of gpu-check.sh; exit 1 unless all are there.
#   scripts/gpu-build.sh emulated DIRECTORY    with the emulator in place of a GPU (needs g++)
#   scripts/gpu-build.sh native DIRECTORY      with nvcc for the GPU that is here; or sm_80 and the like
# nvcc is the one that CUDACXX names, on PATH, or in /usr/local/cuda.
set -u
cd "$(dirname "$0")/.." || exit 1
target=$1 directory=$2
mkdir -p "$directory" || exit 1
listed() { # listed KEY: the files of a list in native/sources.gypi
  awk -v key="\"$1\"" 'index($0, key) { on = 1 } on { print } on && /\]/ { exit }' native/sources.gypi | grep -oE '(test/)?native/[a-z0-9_/-]+\.(cc|cu)'
}
mapfile -t host < <(listed bertha_cuda_host_sources)
host+=(native/engine/{allocator,program}.cc)
programs=(instructions_test kernels_test models_test bench)
if [ "$target" = emulated ]; then
  mapfile -t kernels < <(listed bertha_cuda_emulated_sources)
  compiler=("${CXX:-g++}" -std=c++17 -O2 -pthread -ffp-contract=off -Wno-unknown-pragmas -DBERTHA_CUDA_EMULATED=1)
  tests=(test/native/cuda-emulator/kernels/instructions_test.cc test/native/cuda/{kernels_test,models_test,bench}.cc)
else
  nvcc=${CUDACXX:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
  [ -x "$nvcc" ] || { echo 'Expected nvcc (CUDACXX or PATH) but did not find it.'; exit 1; }
  mapfile -t kernels < <(listed bertha_cuda_sources)
  compiler=("$nvcc" -std=c++17 -O3 -lineinfo "-arch=$target")
  tests=(test/native/cuda/instructions_test.cu test/native/cuda/{kernels_test,models_test,bench}.cc)
fi
shared=("${kernels[@]}" "${host[@]}")
for program in "${programs[@]}" probe; do rm -f "$directory/$program"; done # an old one must not pass for this one

compile() { # compile SOURCE: the probe is for Hopper's own instructions, and runs without them elsewhere
  if [ "$1" = test/native/cuda/probe.cu ]; then
    "$nvcc" -std=c++17 -O3 -gencode=arch=compute_90a,code=sm_90a -gencode=arch=compute_80,code=compute_80 -Inative -Itest/native "$1" -o "$directory/probe"
  else
    "${compiler[@]}" -Inative -Itest/native -c "$1" -o "$directory/$(basename "$1").o"
  fi
}
# Several at a time, the longest first.
mapfile -t sources < <(printf '%s\n' "${shared[@]}" | grep -E '(linear|attention)_')
sources+=("${tests[@]}")
[ "$target" = emulated ] || sources+=(test/native/cuda/probe.cu) programs+=(probe)
mapfile -t -O "${#sources[@]}" sources < <(printf '%s\n' "${shared[@]}" | grep -vE '(linear|attention)_')
for source in "${sources[@]}"; do
  while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
  compile "$source" &
done
wait
objects=()
for source in "${shared[@]}"; do objects+=("$directory/$(basename "$source").o"); done
for test in "${tests[@]}"; do
  name=$(basename "$test")
  "${compiler[@]}" "${objects[@]}" "$directory/$name.o" -o "$directory/${name%.*}" &
done
wait
missing=()
for program in "${programs[@]}"; do [ -x "$directory/$program" ] || missing+=("$program"); done
((${#missing[@]} == 0)) || { echo "not built: ${missing[*]}"; exit 1; }
echo "built ${#programs[@]} programs"
