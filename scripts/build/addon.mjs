// Compiles the addon with node-gyp (build/Release/bertha.node) or cmake-js (build-cmake/Release/bertha.node) when anything it is made of changed.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { fingerprint, inRoot, listFiles, packageDirectory, packageJson, packageVersion, readState, stateDirectory, writeState } from './project.mjs';
import { showLine, showStep } from './terminal.mjs';
import { chooseCuda, compiler, compilerVersion, cudaCompiler, findCommand, nodeHeadersPrefix, requireTools } from './toolchain.mjs';

export const builders = {
  'node-gyp': { output: inRoot('build', 'Release', 'bertha.node'), description: 'binding.gyp' },
  'cmake-js': { output: inRoot('build-cmake', 'Release', 'bertha.node'), description: 'CMakeLists.txt' },
};

function describe(builder) {
  const flags = chooseCuda(readState('flags'));
  const command = compiler();
  const environment = Object.fromEntries(['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS'].map((name) => [name, process.env[name] ?? '']));
  const facts = {
    builder,
    cuda: flags.cuda,
    version: packageJson.version,
    tool: packageVersion(builder),
    nodeAddonApi: packageVersion('node-addon-api'),
    node: [process.platform, process.arch, process.versions.modules],
    compiler: command === undefined ? 'none' : compilerVersion(command),
    cudaCompiler: flags.cuda && cudaCompiler() !== undefined ? compilerVersion(cudaCompiler()) : 'none',
    environment,
  };
  return { flags, stamp: fingerprint(listFiles('native', builders[builder].description), facts) };
}

/** Builds unless the last build was made from the same sources, flags and tools. Returns true when it compiled. */
export async function buildAddon(builder, { force = false } = {}) {
  const { output } = builders[builder];
  const recorded = readState('flags');
  const { asked } = chooseCuda(recorded);
  if (asked !== recorded?.asked) writeState('flags', { asked });
  const isCurrent = () => !force && existsSync(output) && readState(builder)?.stamp === describe(builder).stamp;
  if (isCurrent()) return false;
  const lock = join(stateDirectory, `${builder}.lock`);
  const onWait = (pid) => showLine(`waiting for process ${pid}, which is compiling the addon`);
  return withLock(lock, () => (isCurrent() ? false : compile(builder)), { onWait });
}

async function compile(builder) {
  requireTools(builder);
  const { flags, stamp } = describe(builder);
  rmSync(join(stateDirectory, `${builder}.json`), { force: true });
  const start = performance.now();
  const sources = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8')).variables.bertha_sources;
  const with_ = flags.cuda ? ' and CUDA' : '';
  showStep(`compiling the addon with ${builder}${with_} (${sources.length} files)`);
  await run(command(builder, flags), sources);
  writeState(builder, { stamp, cuda: flags.cuda });
  showLine(`compiled the addon with ${builder}${with_} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return true;
}

function command(builder, flags) {
  const jobs = process.env.JOBS || String(availableParallelism());
  const env = { ...process.env, CXX: compiler(), BERTHA_CUDA: flags.cuda ? '1' : '0' };
  const tool = packageDirectory(builder);
  if (tool === undefined) throw new Error(`Expected ${builder} in node_modules but it is not installed. Run npm ci.`);
  if (builder === 'cmake-js') {
    // cmake-js makes only the last folder of --out, and asks for Node's headers when package.json has no binary.napi_versions.
    mkdirSync(inRoot('build-cmake'), { recursive: true });
    const args = [join(tool, 'bin', 'cmake-js'), 'compile', '--out', 'build-cmake', '--parallel', jobs, `--CDBERTHA_CUDA=${flags.cuda ? 'ON' : 'OFF'}`];
    return { args, env };
  }
  const args = [join(tool, 'bin', 'node-gyp.js'), 'configure', 'build', '--jobs', jobs];
  const prefix = nodeHeadersPrefix();
  if (prefix !== undefined && !env.npm_config_nodedir) {
    delete env.npm_config_nodedir; // an empty one would win over the argument
    args.push(`--nodedir=${prefix}`);
  }
  env.GYP_DEFINES = `${env.GYP_DEFINES ?? ''} bertha_cuda=${flags.cuda ? 1 : 0}`.trim();
  if (flags.cuda) {
    const nvcc = findCommand(cudaCompiler() ?? 'nvcc');
    if (nvcc === undefined) throw new Error('Expected nvcc for BERTHA_CUDA=1 (set CUDACXX or PATH) but did not find it.');
    const toolkit = dirname(dirname(realpathSync(nvcc)));
    const libraries = ['lib64', 'lib'].map((name) => join(toolkit, name)).find((path) => existsSync(join(path, 'libcudart_static.a')));
    env.GYP_DEFINES += ` bertha_nvcc=${nvcc} bertha_cuda_lib=${libraries ?? '/usr/local/cuda/lib64'}`;
  }
  return { args, env };
}

function run({ args, env }, sources) {
  const child = spawn(process.execPath, args, { cwd: inRoot(), env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  let compiled = 0;
  const onText = (text) => {
    log += text;
    for (const line of text.split('\n')) {
      const source = sources.find((path) => line.includes(path.replace(/\.\w+$/, '.o')) || line.includes(`${path}.o`));
      if (source !== undefined && /CXX|Building|NVCC/.test(line)) showStep(`compiling ${++compiled}/${sources.length} ${source}`);
    }
  };
  child.stdout.setEncoding('utf8').on('data', onText);
  child.stderr.setEncoding('utf8').on('data', onText);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      const warnings = log.split('\n').filter((line) => /\bwarning:/.test(line));
      for (const warning of warnings) showLine(warning);
      if (code === 0) resolve();
      else reject(new Error(`Expected the addon to compile but the compiler failed:\n${log}`));
    });
  });
}
