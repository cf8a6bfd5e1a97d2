// `npm run build:targets [-- TARGET…]`: the addons of every system (scripts/targets/table.mjs) in build-targets/TARGET/, by zig as cross compiler,
// and a table of what each file is and needs. Fails where one is not what its system can load (scripts/targets/check.mjs). `--check` builds nothing.
import Table from 'cli-table3';
import { parseArgs } from 'node:util';
import { checkTarget } from './targets/check.mjs';
import { addonOf, compileTarget } from './targets/compile.mjs';
import { chooseTargets } from './targets/table.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean', default: false } } });
const table = new Table({
  head: ['target', 'file', 'needs', 'exports', 'packed', 'unpacked'],
  style: { head: [], border: [] },
  wordWrap: true,
});
const problems = [];
try {
  for (const name of chooseTargets(positionals)) {
    try {
      if (!values.check) await compileTarget(name);
      const report = checkTarget(name, addonOf(name));
      table.push([name, report.file, report.needs, report.exports, report.packed, report.unpacked]);
      problems.push(...report.problems);
    } catch (error) {
      problems.push(`${name}: ${error.message}`);
    }
  }
  process.stdout.write(`${table.toString()}\n`);
} catch (error) {
  problems.push(error.message);
}
for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`${table.length} targets, ${problems.length} problems\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
