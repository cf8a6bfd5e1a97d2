// `npm run check`: every static check, two at a time, each printed when it is done. Fails when one of them does, after all have said what they found.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { inRoot } from './build/project.mjs';

const checks = ['lint', 'check:types', 'check:package', 'check:format', 'check:rules', 'check:docs-zh'];

function run(name) {
  const start = performance.now();
  const child = spawn('npm', ['run', '--silent', name], { cwd: inRoot(), stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      process.stdout.write(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(16)} ${seconds} s\n${output}`);
      resolve(code === 0);
    });
  });
}

const queue = [...checks];
let failures = 0;
const worker = async () => {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) if (!(await run(name))) failures++;
};
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
process.exitCode = failures > 0 ? 1 : 0;
