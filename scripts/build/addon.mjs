// Compiles the addon with node-gyp or cmake-js when anything it is made of changed.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';
import { fingerprint, inRoot, listFiles, packageDirectory, packageJson, packageVersion, readState, stateDirectory, writeState } from './project.mjs';
import { showLine, showStep } from './terminal.mjs';
import { chooseCuda, compiler, compilerVersion, cudaCompiler, findCommand, nodeHeadersPrefix, requireTools } from './toolchain.mjs';

// The addons that are built, by name; `cuda` where it is not for the user to choose; `isPackaged` where no test runs on it.
export const builders = {
  'node-gyp': { tool: 'node-gyp', folder: 'build', description: 'binding.gyp' },
  'cmake-js': { tool: 'cmake-js', folder: 'build-cmake', description: 'CMakeLists.txt' },
  cpu: { tool: 'cmake-js', folder: 'build-cpu', description: 'CMakeLists.txt', cuda: '0', isPackaged: true },
  cuda: { tool: 'cmake-js', folder: 'build-cuda', description: 'CMakeLists.txt', cuda: '1', isPackaged: true },
  'cuda-emulated': { tool: 'cmake-js', folder: 'build-cuda-emulated', description: 'CMakeLists.txt', cuda: 'emulated' },
};
for (const builder of Object.values(builders)) builder.output = inRoot(builder.folder, 'Release', 'bertha.node');

/** '0', '1' or 'emulated': what a builder compiles of CUDA. */
export const cudaOf = (builder) => builders[builder].cuda ?? chooseCuda(readState('flags')).cuda;

function describe(builder) {
  const { tool, description } = builders[builder];
  const cuda = cudaOf(builder);
  const command = compiler();
  const environment = Object.fromEntries(['CC', 'CXX', 'CFLAGS', 'CXXFLAGS', 'CPPFLAGS', 'LDFLAGS'].map((name) => [name, process.env[name] ?? '']));
  const facts = {
    builder,
    cuda,
    version: packageJson.version,
    tool: packageVersion(tool),
    nodeAddonApi: packageVersion('node-addon-api'),
    node: [process.platform, process.arch, process.versions.modules],
    compiler: command === undefined ? 'none' : compilerVersion(command),
    cudaCompiler: cuda === '1' && cudaCompiler() !== undefined ? compilerVersion(cudaCompiler()) : 'none',
    environment,
  };
  const sources = cuda === 'emulated' ? ['native', 'test/native'] : ['native'];
  return { cuda, stamp: fingerprint(listFiles(...sources, description), facts) };
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
  const { tool } = builders[builder];
  requireTools(tool);
  const { cuda, stamp } = describe(builder);
  rmSync(join(stateDirectory, `${builder}.json`), { force: true });
  const start = performance.now();
  const { variables } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
  const device = { 0: [], 1: variables.bertha_cuda_sources, emulated: variables.bertha_cuda_emulated_sources }[cuda];
  const addons = builders[builder].isPackaged ? [] : variables.bertha_test_addon_sources;
  const sources = [...variables.bertha_sources, ...variables.bertha_addon_sources, ...addons, ...(cuda === '0' ? [] : variables.bertha_cuda_host_sources), ...device];
  const how = `${tool}${{ 0: '', 1: ' and CUDA', emulated: ' and emulated CUDA' }[cuda]}`;
  showStep(`compiling the addon with ${how} (${sources.length} files)`);
  await run(command(builder, cuda), sources);
  writeState(builder, { stamp, cuda });
  showLine(`compiled the addon with ${how} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return true;
}

function command(builder, cuda) {
  const { tool: name, folder, isPackaged = false } = builders[builder];
  const jobs = process.env.JOBS || String(availableParallelism());
  const env = { ...process.env, CXX: compiler(), BERTHA_CUDA: cuda };
  const tool = packageDirectory(name);
  if (tool === undefined) throw new Error(`Expected ${name} in node_modules but it is not installed. Run npm ci.`);
  if (name === 'cmake-js') {
    // cmake-js makes only the last folder of --out, and asks for Node's headers when package.json has no binary.napi_versions.
    mkdirSync(inRoot(folder), { recursive: true });
    const args = [join(tool, 'bin', 'cmake-js'), 'compile', '--out', folder, '--parallel', jobs, `--CDBERTHA_CUDA=${cuda}`, `--CDBERTHA_TESTS=${isPackaged ? 0 : 1}`];
    return { args, env };
  }
  const args = [join(tool, 'bin', 'node-gyp.js'), 'configure', 'build', '--jobs', jobs];
  const prefix = nodeHeadersPrefix();
  if (prefix !== undefined && !env.npm_config_nodedir) {
    delete env.npm_config_nodedir; // an empty one would win over the argument
    args.push(`--nodedir=${prefix}`);
  }
  env.GYP_DEFINES = `${env.GYP_DEFINES ?? ''} bertha_cuda=${cuda}`.trim();
  if (cuda === '1') {
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
