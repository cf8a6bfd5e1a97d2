import { mapTexts, type MapOptions } from '../../src/explain/index.js';
import { loadEmbedder } from '../../src/index.js';

/** Neighbours whose places are compared. */
const kNeighbors = 5;

/** Prints how long UMAP takes for a map, and how well it keeps neighbours, beside principal components. */
export async function measureUmap(texts: readonly string[]): Promise<void> {
  const embedder = await loadEmbedder();
  const rows = (await embedder.embed(texts)).map(({ vector }) => vector);
  embedder.dispose();
  const map = (options: MapOptions): ReturnType<typeof mapTexts> => mapTexts(rows, texts, { clusters: 1, keywords: 0, ...options });
  await map({ method: 'umap' });
  const heard: { readonly epoch: number; readonly ms: number }[] = [];
  const begin = performance.now();
  const drawn = await map({
    method: 'umap',
    onProgress: ({ done }) => heard.push({ epoch: done, ms: performance.now() - begin }),
  });
  const [first, last] = [heard[0]!, heard.at(-1)!];
  const epochMs = (last.ms - first.ms) / (last.epoch - first.epoch);
  const kept = [drawn, await map({ method: 'pca' })].map(({ points }) => {
    return trustworthiness(
      rows,
      points.map(({ x, y }) => [x, y]),
    ).toFixed(3);
  });
  console.log(
    `UMAP of ${texts.length} texts, ${rows[0]!.length} numbers each: ${((first.ms - first.epoch * epochMs) / 1000).toFixed(2)} s to begin`,
  );
  console.log(`  ${last.epoch} epochs of ${epochMs.toFixed(1)} ms, ${(last.ms / 1000).toFixed(1)} s in all`);
  console.log(`  trustworthiness of ${kNeighbors} neighbours ${kept[0]}, of two principal components ${kept[1]}`);
}

/** How many neighbours in the plane are neighbours among the rows (Venna & Kaski 2001), as scikit-learn's. */
function trustworthiness(rows: readonly ArrayLike<number>[], points: readonly ArrayLike<number>[]): number {
  const n = rows.length;
  let penalty = 0;
  for (let i = 0; i < n; i++) {
    const [before, after] = [rows, points].map((list) => Float64Array.from(list, (other) => distance(list[i]!, other))) as [
      Float64Array,
      Float64Array,
    ];
    const near = [...after.keys()].filter((j) => j !== i).sort((a, b) => after[a]! - after[b]!);
    for (const j of near.slice(0, kNeighbors)) {
      let rank = 1;
      for (let other = 0; other < n; other++) if (other !== i && before[other]! < before[j]!) rank++;
      penalty += Math.max(0, rank - kNeighbors);
    }
  }
  return 1 - (2 * penalty) / (n * kNeighbors * (2 * n - 3 * kNeighbors - 1));
}

function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
