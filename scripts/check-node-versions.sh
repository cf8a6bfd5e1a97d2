#!/usr/bin/env bash
# `npm run check:node`: the addon and the JavaScript as built here, under the oldest supported Node.js and the newer lines. One build
# serves all (Node-API 9). The binaries come as npm packages into build/node/. Arguments: other versions than these.
set -euo pipefail
cd "$(dirname "$0")/.."

versions=("${@:-}")
if [ -z "${versions[0]}" ]; then versions=(20.19.0 22 24 latest); fi
package=node-$(node -p 'process.platform')-$(node -p 'process.arch')

npm run --silent build
for version in "${versions[@]}"; do
  folder=build/node/$version
  if [ ! -x "$folder/node_modules/$package/bin/node" ]; then
    mkdir -p "$folder"
    npm install --silent --no-save --no-package-lock --prefix "$folder" "$package@$version"
  fi
  node=$folder/node_modules/$package/bin/node
  printf '\n== Node.js %s\n' "$("$node" --version)"
  "$node" --import tsx test/run.ts api embed loader similarity safetensors '!process'
done
