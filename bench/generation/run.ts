// npm run bench:generation: in turns with rivals (rivals.ts), or with --beside what a service feels while the process generates (beside.ts).
await import(process.argv.includes('--beside') ? './beside.js' : './rivals.js');
