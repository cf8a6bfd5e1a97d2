#!/bin/bash
# A visit to a machine with a GPU, which needs neither internet nor Node:
#   scripts/gpu-visit.sh prepare              leaves weights/ out of what git lists, so that the tree is small, and prints the command to run there
#   scripts/gpu-visit.sh restore              lists weights/ again
#   scripts/gpu-visit.sh merge DIRECTORY      puts what came back (report.json) into docs/cuda/results/<device>.json and .md
set -eu
cd "$(dirname "$0")/.."
exclude=$(git rev-parse --git-path info/exclude)
case ${1:-} in
  prepare)
    git rm -rq --cached --ignore-unmatch weights
    mkdir -p "$(dirname "$exclude")"
    grep -qxF /weights/ "$exclude" 2> /dev/null || echo /weights/ >> "$exclude"
    bytes=$(git ls-files -z --cached --others --exclude-standard | du -cb --files0-from=- 2> /dev/null | tail -n 1 | cut -f 1)
    echo "the tree: $((bytes >> 20)) MiB (git ls-files --cached --others --exclude-standard)"
    ((bytes < 64 << 20)) || { echo 'Expected less than 64 MiB: move large untracked files away.'; exit 1; }
    echo 'In a copy of it, on the machine with the GPU (OUT: a folder for what comes back):'
    echo "BERTHA_COMMIT=$(git rev-parse --short HEAD) BERTHA_GPU_BUILD=\$(mktemp -d) BERTHA_GPU_SECONDS=${BERTHA_GPU_SECONDS:-450} scripts/gpu-check.sh \"\$OUT\""
    ;;
  restore)
    git reset -q -- weights
    { grep -vxF /weights/ "$exclude" || true; } > "$exclude.new"
    mv "$exclude.new" "$exclude"
    ;;
  merge) node scripts/gpu-results.mjs "${2:?Expected the directory that came back}" "${3:-docs/cuda/results}" ;;
  *) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
