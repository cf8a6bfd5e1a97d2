// dist/cjs: the library once more as CommonJS, file by file, for tools that cannot require ES modules: Jest, TypeScript's node10 and node16.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Adds cjs/ to the compiled library in `dist`, without source maps. The command line stays what it is, ES modules. */
export async function writeCommonJs(dist) {
  const { transform } = await import('esbuild');
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => !/^(?:cjs|cli)\b/.test(file));
  const write = async (file) => {
    const [from, to] = [join(dist, file), join(dist, 'cjs', file)];
    mkdirSync(dirname(to), { recursive: true });
    const source = readFileSync(from, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, '');
    writeFileSync(to, file.endsWith('.d.ts') ? source : (await transform(source, settings)).code);
  };
  await Promise.all(files.filter((file) => /\.(?:d\.ts|js)$/.test(file)).map(write));
  writeFileSync(join(dist, 'cjs', 'package.json'), '{ "type": "commonjs" }\n');
}

// import.meta becomes {}: src/runtime/package-files.ts goes by __filename there.
const settings = { format: 'cjs', platform: 'node', target: 'node20', logOverride: { 'empty-import-meta': 'silent' } };
