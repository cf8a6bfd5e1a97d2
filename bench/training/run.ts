// npm run bench:training: steps in turns with PyTorch (training.ts), or with --serve what a service feels while the process trains (serve.ts).
await import(process.argv.includes('--serve') ? './serve.js' : './training.js');
