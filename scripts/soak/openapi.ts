// `npm run check:openapi -- [--python PYTHON] [--examples 4000] [--seed 1]`: schemathesis sends requests made of the server's OpenAPI document,
// good and bad ones, and looks for errors 500, answers that the document does not have, and bodies that are not as it says. The examples
// are drawn evenly over its operations, beside those that cover each schema. PYTHON has schemathesis (`pip install schemathesis`). Ends
// with its exit code.
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { startServer } from './serve-process.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    examples: { type: 'string', default: '4000' },
    seed: { type: 'string', default: '1' },
  },
});
const server = await startServer();
const document = `http://127.0.0.1:${server.port}/openapi.json`;
const { paths } = (await (await fetch(document)).json()) as { paths: Record<string, Record<string, unknown>> };
const operations = Object.values(paths).flatMap((path) => Object.keys(path)).length;
const maxExamples = Math.ceil(Number(values.examples) / operations);
// No schema says that a text of blanks is refused, so what fits the schema may be refused; streams of lines it cannot make.
const left = ['--exclude-checks', 'positive_data_acceptance', '--exclude-path', '/bulk/embed'];
const options = ['--checks', 'all', ...left, '--max-examples', `${maxExamples}`, '--seed', values.seed, '--workers', '1'];
const { status, error } = spawnSync(values.python, ['-m', 'schemathesis.cli', 'run', document, ...options], {
  stdio: 'inherit',
  cwd: tmpdir(),
});
if (error !== undefined) process.stderr.write(`Expected a Python for --python but received ${values.python}: ${error.message}\n`);
server.terminate();
await server.ended;
process.exit(status ?? 1);
