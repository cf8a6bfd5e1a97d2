/** Names of LayerNorms, in lower case: those that transformers' Trainer knows (5.24: `get_decay_parameter_names`), and those of files whose names it changes while it loads. */
const kNorms = [/layernorm/, /rmsnorm/, /(?:^|\.)norm\d?(?:$|\.)/, /_norm(?:$|\.|_)/, /_ln(?:$|\.)/];

/** Whether a parameter is a LayerNorm's, by its name. */
export function isNorm(name: string): boolean {
  const lower = name.toLowerCase();
  return kNorms.some((pattern) => pattern.test(lower));
}

/** Whether weight decay applies to a parameter, by its name in transformers. MPNet's `relative_attention_bias.weight` is a bias too. */
export function decays(name: string): boolean {
  return !name.toLowerCase().includes('bias') && !isNorm(name);
}
