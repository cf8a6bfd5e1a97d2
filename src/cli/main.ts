#!/usr/bin/env node
import { run } from './program.js';

// All output has been awaited by then; standard input may still be open, which would keep the process waiting.
void run(process.argv.slice(2)).then((code) => process.exit(code));
