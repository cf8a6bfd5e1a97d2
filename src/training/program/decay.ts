/** Names to which transformers' Trainer applies no weight decay (5.24: `get_decay_parameter_names`), in lower case. */
const kUndecayed = [/bias/, /layernorm/, /rmsnorm/, /(?:^|\.)norm(?:$|\.)/, /_norm(?:$|\.)/];

/** Whether weight decay applies to a parameter, by its name in transformers. MPNet's `relative_attention_bias.weight` is a bias too. */
export function decays(name: string): boolean {
  const lower = name.toLowerCase();
  return !kUndecayed.some((pattern) => pattern.test(lower));
}
