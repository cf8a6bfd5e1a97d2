// Times the speed of a rival, same threads, same run: fp32, int8. int8 is held against PyTorch's and onnxruntime's fp32 where the table says so.
const againstPytorch: Readonly<Record<string, readonly [number, number]>> = {
  '1 text, greedy': [2.0, 6],
  '1 text, 4 beams': [2.6, 7],
  '16 texts, greedy': [1.9, 5],
  '16 texts, 4 beams': [1.8, 5],
};
const againstTransformersJs: Readonly<Record<string, readonly [number, number]>> = {
  '1 text, greedy': [2.5, 6],
  '16 mixed texts, greedy': [3, 3],
};

/** What a side of Bertha's is to reach against a rival's in a case; undefined where nothing is set. */
export function targetOf(name: string, side: string, rival: string): number | undefined {
  const column = ['bertha fp32', 'bertha int8'].indexOf(side);
  if (rival === 'pytorch fp32') return againstPytorch[name]?.[column];
  const precision = ['fp32', 'int8'][column];
  if (rival === `transformers.js ${precision}`) return againstTransformersJs[name]?.[column];
  return rival === `ctranslate2 ${precision}` && !name.includes('mixed') ? 1 : undefined;
}
