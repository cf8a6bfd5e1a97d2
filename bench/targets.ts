/** A speed to reach: so many times that of a rival, same threads, same run. */
export interface Target {
  readonly against: string;
  readonly times: number;
}

/** AVX2 fp32, AVX2 int8, AVX-512 fp32, AVX-512 bf16, AVX-512 int8. */
type Columns = readonly [number, number, number, number, number];

// Against onnxruntime-node fp32. A prototype with one thread reached the MiniLM rows on both kinds of machine.
const againstFp32: Readonly<Record<string, Columns>> = {
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

// Of int8, against onnxruntime-node int8: AVX2, AVX-512.
const againstInt8: Readonly<Record<string, readonly [number, number?]>> = {
  'MiniLM 1x8': [1.9, 3.0],
  'MiniLM 1x16': [1.6, 2.5],
  'MiniLM 1x32': [1.4, 2.5],
  'MiniLM 1x128': [1.25, 2.2],
  'MiniLM 1x512': [1.35, 2.3],
  'MiniLM 32x128': [1.38, 2.6],
  'MiniLM 256 mixed texts, arrival': [4.5],
  'MiniLM 256 mixed texts, best': [1.45],
};

/** Of int8 on AVX2, against CTranslate2, the fastest rival in bulk there. */
const againstCtranslate2: Readonly<Record<string, number>> = { 'MiniLM 32x128': 1.3 };

/** Loading and the first vector, in times the speed of onnxruntime-node's create and first run: at most 0.6 and 0.3 of its time. */
export const loadTargets: Readonly<Record<string, number>> = { 'bertha fp32': 1 / 0.6, 'bertha fp32, cached weights': 1 / 0.3 };

/** What `precision` aims at in a row. */
export function targetsOf(row: string, instructionSet: string, precision: string): Target[] {
  if (instructionSet === 'scalar') return [];
  const isAvx512 = instructionSet.startsWith('avx512');
  const column = (isAvx512 ? ['', '', 'fp32', 'bf16', 'int8'] : ['fp32', 'int8']).indexOf(precision);
  const isInt8 = precision === 'int8';
  const found: [string, number | undefined][] = [
    ['onnxruntime fp32', column < 0 ? undefined : againstFp32[row]?.[column]],
    ['onnxruntime int8', isInt8 ? againstInt8[row]?.[isAvx512 ? 1 : 0] : undefined],
    ['ctranslate2 int8', isInt8 && !isAvx512 ? againstCtranslate2[row] : undefined],
  ];
  return found.flatMap(([against, times]) => (times === undefined ? [] : [{ against, times }]));
}
