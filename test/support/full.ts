/** Whether the run is the long one (`npm run check:full`), which takes exhaustive inputs instead of samples. */
export const isFull = process.env['BERTHA_TEST_FULL'] === '1';
