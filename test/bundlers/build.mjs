// node build.mjs BUNDLER APP OUTPUT: bundles apps/APP, bertha-encoder and all, into the file OUTPUT. Prints the bundler's warnings.
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

const [name, app, outfile] = process.argv.slice(2);
const entry = join(import.meta.dirname, 'apps', app);
const fromCheckout = createRequire(join(import.meta.dirname, '..', '..', 'package.json'));

async function esbuild(format, outfile) {
  const { build } = fromCheckout('esbuild');
  const { warnings } = await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format, logLevel: 'silent' });
  return warnings.map(({ text }) => text);
}

async function rollup(format, file) {
  const { rollup } = await import('rollup');
  const { nodeResolve } = await import('@rollup/plugin-node-resolve');
  const warnings = [];
  const bundle = await rollup({
    input: entry,
    plugins: [nodeResolve()],
    external: [/^node:/],
    onwarn: ({ message }) => warnings.push(message),
  });
  await bundle.write({ file, format });
  return warnings;
}

async function vite(outfile) {
  const { build } = await import('vite');
  const warnings = [];
  const warn = (text) => warnings.push(text);
  await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'warn',
    customLogger: {
      info: () => {},
      warn,
      warnOnce: warn,
      error: warn,
      clearScreen: () => {},
      hasErrorLogged: () => false,
      hasWarned: false,
    },
    ssr: { noExternal: true },
    build: { ssr: entry, outDir: dirname(outfile), rollupOptions: { output: { entryFileNames: basename(outfile) } } },
  });
  return warnings;
}

async function webpack(outfile) {
  const { default: run } = await import('webpack');
  const output = { path: dirname(outfile), filename: basename(outfile) };
  const stats = await new Promise((resolve, reject) => {
    run({ mode: 'production', target: 'node', context: import.meta.dirname, entry, output }, (error, result) =>
      error ? reject(error) : resolve(result),
    );
  });
  const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
  return [...errors, ...warnings].map(({ message }) => message);
}

const bundlers = {
  webpack,
  vite,
  'esbuild-esm': (outfile) => esbuild('esm', outfile),
  'esbuild-cjs': (outfile) => esbuild('cjs', outfile),
  'rollup-esm': (outfile) => rollup('es', outfile),
  'rollup-cjs': (outfile) => rollup('cjs', outfile),
};

for (const warning of await bundlers[name](outfile)) process.stdout.write(`${warning}\n`);
