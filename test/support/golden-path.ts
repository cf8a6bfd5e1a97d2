import { fileURLToPath } from 'node:url';

/** A folder of test/golden. */
export const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
