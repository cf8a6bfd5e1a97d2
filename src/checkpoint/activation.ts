/** Element-wise functions a checkpoint can ask for; `none` is the identity, `gelu` uses erf, `gelu_tanh` the tanh approximation. */
export type ActivationName =
  'none' | 'gelu' | 'gelu_tanh' | 'relu' | 'silu' | 'tanh' | 'sigmoid' | 'quick_gelu' | 'relu6' | 'relu_squared' | 'leaky_relu' | 'mish';

/** `hidden_act` as transformers spells it (ACT2FN). Left out: gelu_10 (clipped) and laplace, which no published BERT uses. */
const HIDDEN_ACTIVATIONS: ReadonlyMap<string, ActivationName> = new Map([
  ['gelu', 'gelu'],
  ['gelu_python', 'gelu'],
  ['gelu_new', 'gelu_tanh'],
  ['gelu_fast', 'gelu_tanh'],
  ['gelu_accurate', 'gelu_tanh'],
  ['gelu_pytorch_tanh', 'gelu_tanh'],
  ['gelu_python_tanh', 'gelu_tanh'],
  ['quick_gelu', 'quick_gelu'],
  ['relu', 'relu'],
  ['relu2', 'relu_squared'],
  ['relu6', 'relu6'],
  ['leaky_relu', 'leaky_relu'],
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['mish', 'mish'],
  ['sigmoid', 'sigmoid'],
  ['tanh', 'tanh'],
  ['linear', 'none'],
]);

/** `activation_function` of a sentence-transformers Dense module: a torch class built without arguments. */
const TORCH_ACTIVATIONS: ReadonlyMap<string, ActivationName> = new Map([
  ['torch.nn.modules.linear.Identity', 'none'],
  ['torch.nn.modules.activation.Tanh', 'tanh'],
  ['torch.nn.modules.activation.ReLU', 'relu'],
  ['torch.nn.modules.activation.ReLU6', 'relu6'],
  ['torch.nn.modules.activation.GELU', 'gelu'],
  ['torch.nn.modules.activation.SiLU', 'silu'],
  ['torch.nn.modules.activation.Mish', 'mish'],
  ['torch.nn.modules.activation.LeakyReLU', 'leaky_relu'],
  ['torch.nn.modules.activation.Sigmoid', 'sigmoid'],
]);

/** The activation behind transformers' `hidden_act`, or undefined. */
export function hiddenActivation(name: string): ActivationName | undefined {
  return HIDDEN_ACTIVATIONS.get(name);
}

/** The activation behind a torch class name, or undefined. */
export function torchActivation(name: string): ActivationName | undefined {
  return TORCH_ACTIVATIONS.get(name);
}

/** The names `hidden_act` may have, for messages. */
export const HIDDEN_ACTIVATION_NAMES: readonly string[] = [...HIDDEN_ACTIVATIONS.keys()];
