// How many times onnxruntime-node's fp32 speed Bertha aims at, same threads, same run. Per case: AVX2 fp32, AVX2 int8, AVX-512 fp32,
// AVX-512 bf16, AVX-512 int8. A prototype with one thread reached the MiniLM rows on both kinds of machine.
const table: Readonly<Record<string, readonly [number, number, number, number, number]>> = {
  'MiniLM 1x8': [1.65, 3.9, 2.6, 6, 11],
  'MiniLM 1x16': [1.45, 2.8, 2.0, 4.5, 8],
  'MiniLM 1x32': [1.3, 2.4, 1.7, 3.4, 6.3],
  'MiniLM 1x128': [1.12, 2.0, 1.3, 2.5, 4.3],
  'MiniLM 1x512': [1.15, 1.9, 1.2, 2.3, 4],
  'MiniLM 32x128': [1.12, 1.95, 1.35, 2.6, 4.3],
  'MiniLM 256 mixed texts, arrival': [3.8, 7, 3.8, 7.5, 13],
  'MiniLM 256 mixed texts, best': [1.4, 2.5, 1.95, 3.9, 6.8],
  'BERT-base 1x16': [1.3, 2.4, 1.8, 3.5, 6.5],
  'BERT-base 1x128': [1.12, 1.9, 1.2, 2.3, 4.4],
};

/** The ratio to onnxruntime-node fp32 that `precision` aims at; undefined where there is no target. */
export function targetRatio(row: string, instructionSet: string, precision: string): number | undefined {
  const columns = instructionSet.startsWith('avx512') ? ['', '', 'fp32', 'bf16', 'int8'] : ['fp32', 'int8'];
  const column = columns.indexOf(precision);
  return column < 0 || instructionSet === 'scalar' ? undefined : table[row]?.[column];
}
