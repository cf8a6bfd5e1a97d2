import { execFile } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The program that people run, of `dist/`: `npm test` compiles it before, and it starts in a third of the time that tsx needs for its source. */
export const cliProgram = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What a command of `runCommands` came to. */
export interface CommandOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs commands one after the other in one process, which starts once for all of them: a start takes half a second and more. `env` is added
 * to this process's environment without its colours.
 */
export function runCommands(
  commands: readonly (readonly string[])[],
  env: Readonly<Record<string, string>> = { NO_COLOR: '1', LC_ALL: 'C' },
): Promise<CommandOutcome[]> {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  const program = pathToFileURL(fileURLToPath(new URL('../../dist/cli/program.js', import.meta.url))).href;
  const script = `const { run } = await import(${JSON.stringify(program)});
process.setMaxListeners(0);
process.stdout.setMaxListeners(0);
for (const args of JSON.parse(process.argv[1])) {
  const code = await run(args);
  process.stdout.write('\\0' + code + '\\0');
  process.stderr.write('\\0');
}`;
  const args = ['--input-type=module', '-e', script, JSON.stringify(commands)];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: { ...inherited, ...env }, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (error !== null) return reject(new Error(`Expected all commands to be run, but their process ended: ${error.message}\n${stderr}`));
      const [parts, problems] = [stdout.split('\0'), stderr.split('\0')];
      resolve(commands.map((_command, i) => ({ stdout: parts[2 * i]!, code: Number(parts[2 * i + 1]), stderr: problems[i]! })));
    });
  });
}
