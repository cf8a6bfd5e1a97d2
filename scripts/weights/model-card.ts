import type { Recipe } from './recipe.js';
import type { HeadScores } from './scores.js';

const kSpdx = { 'Apache-2.0': 'apache-2.0', 'CC-BY-SA-4.0': 'cc-by-sa-4.0' } as const;

/** What stands in the folder of the heads that are under CC BY-SA. */
export const shareAlike = `The heads in the folders below this one are licensed under the Creative Commons Attribution-ShareAlike 4.0 International License:
https://creativecommons.org/licenses/by-sa/4.0/legalcode

They were trained on text under CC BY-SA; the README.md of each names it and its authors. The model that they are put on, which they do not contain,
is under the Apache License, Version 2.0, and so is everything else in this package.
`;

/** README.md of an adapter: the fields that the Hub reads, then what a person should know. */
export function modelCard(recipe: Recipe, { adapter = {}, full, floors }: HeadScores, bytes: number): string {
  const { title, licence, sources, heldOut, goodFor, notFor, example, lora, learningRate, tasks } = recipe;
  const percent = (score: number | undefined): string => (score === undefined ? 'not measured' : (100 * score).toFixed(1));
  const rows = Object.keys(adapter).map(
    (metric) => `| ${metric} | ${percent(adapter[metric])} | ${percent(full?.[metric])} | ${percent(floors[metric])} |`,
  );
  return `---
base_model: sentence-transformers/all-MiniLM-L6-v2
library_name: peft
license: ${kSpdx[licence]}
language: en
pipeline_tag: ${tasks[0]}
tags: [lora, bertha]
---

# ${title}

A LoRA adapter and head on all-MiniLM-L6-v2 (${(bytes / 1e6).toFixed(2)} MB, float16), bundled with bertha-encoder:

\`\`\`sh
${example}
\`\`\`

**Good for** ${goodFor}

**Not for** ${notFor}

## Scores

On ${heldOut}, times 100:

| | this adapter | all weights trained | floor |
|---|---|---|---|
${rows.join('\n')}

\`npm run weights:train -- --check\` computes them again.

## Training data

${sources.map(({ what, licence: terms, file }) => `- ${what}; ${terms} (${file.replace(/^.*\//, '')})`).join('\n')}

Trained by \`npm run weights:train\` of the repository: rank ${lora.r}, alpha ${lora.loraAlpha}, learning rate ${learningRate}; scripts/weights/recipes has every argument.

## Licence

${licence === 'Apache-2.0' ? 'Apache-2.0. The data is credited above, as CC BY asks.' : 'CC BY-SA 4.0, as the text that it was trained on.'}
`;
}
