import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('../..', import.meta.url));

// Node-API in C: napi.h takes seconds each time, and that it is found the real build shows.
const source = `#include <node_api.h>
NAPI_MODULE_INIT() {
    napi_value builder, version;
    napi_create_string_utf8(env, BERTHA_BUILDER, NAPI_AUTO_LENGTH, &builder);
    napi_create_string_utf8(env, BERTHA_VERSION, NAPI_AUTO_LENGTH, &version);
    napi_set_named_property(env, exports, "builder", builder);
    napi_set_named_property(env, exports, "version", version);
    return exports;
}
`;

/** A checkout with the real build scripts and flags around one small C++ file and one TypeScript file, so that a build takes seconds. */
export function makeMiniCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-build-'));
  for (const path of ['scripts', 'binding.gyp', 'CMakeLists.txt', 'package.json', 'tsconfig.json', 'native/exports.map']) {
    cpSync(join(checkout, path), join(folder, path), { recursive: true });
  }
  const list = JSON.parse(readFileSync(join(checkout, 'native', 'sources.gypi'), 'utf8')) as { variables: Record<string, unknown> };
  for (const [key, value] of Object.entries(list.variables)) {
    if (Array.isArray(value) && value.every((item) => /^native\/.*\.\w+$/.test(String(item)))) list.variables[key] = [];
  }
  list.variables['bertha_sources'] = ['native/core.cc'];
  list.variables['bertha_addon_sources'] = list.variables['bertha_test_addon_sources'] = ['native/addon.cc'];
  writeFileSync(join(folder, 'native', 'sources.gypi'), JSON.stringify(list));
  writeFileSync(join(folder, 'native', 'addon.cc'), source);
  writeFileSync(join(folder, 'native', 'core.cc'), 'int bertha_core() { return 0; }\n');
  const pages = join(folder, 'src', 'explain', 'pages', 'browser');
  mkdirSync(pages, { recursive: true });
  writeFileSync(join(folder, 'src', 'index.ts'), 'export const answer: number = 42;\n');
  writeFileSync(join(pages, 'main.ts'), 'document.title = location.hash;\n');
  writeFileSync(join(pages, 'style.css'), 'p { margin: 0; }\n');
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

export interface Finished {
  readonly code: number | null;
  /** stdout and stderr, as they came. */
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program of Node.js in `folder`, without the settings that the surrounding npm run left in the environment. */
export function runNode(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_|^BERTHA_|^CXXFLAGS$/i.test(name));
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env: { ...Object.fromEntries(inherited), CI: 'true', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output, seconds: (performance.now() - start) / 1000 }));
  });
}
