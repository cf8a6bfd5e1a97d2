import { Type, type TSchema } from 'typebox';

/** A field that may be left out; null means the same, as several clients send it. */
export function absent<T extends TSchema>(schema: T) {
  const { description } = schema as { description?: string };
  return Type.Optional(Type.Union([schema, Type.Null()], description === undefined ? {} : { description }));
}

/** Whether a field that may be left out was given. */
export function isGiven<T>(value: T): value is NonNullable<T> {
  return value !== undefined && value !== null;
}

export const ids = Type.Array(Type.Integer({ minimum: 0 }));
export const text = Type.String();
export const texts = Type.Array(Type.String(), { description: 'a list of texts' });

export const number = Type.Number({ description: 'a number' });
export const trueOrFalse = Type.Boolean({ description: 'true or false' });
export const whole = (minimum: number) => Type.Integer({ minimum, description: `a whole number from ${minimum}` });
export const choice = (...names: readonly string[]) => Type.Enum([...names], { description: names.join(', ') });

/** What every embedding route reads. */
export const textInputs = Type.Union([Type.String(), Type.Array(Type.String()), ids, Type.Array(ids)], {
  description: 'a text, token ids, a list of texts or a list of lists of ids',
});

export const modelName = absent(Type.String({ description: "a model's name" }));
export const flag = absent(Type.Boolean({ description: 'true or false' }));
export const count = absent(Type.Integer({ minimum: 1, description: 'a whole number from 1' }));
export const optionalText = absent(Type.String({ description: 'a string' }));

/** Which end of a long text is left out; text-embeddings-inference takes both spellings. */
export const direction = absent(Type.Enum(['left', 'right', 'Left', 'Right'], { description: 'left or right' }));

/** A text, or two that are read together. */
export const textOrPair = Type.Union(
  [Type.String(), Type.Object({ text: Type.String(), textPair: Type.Optional(Type.String()) }, { additionalProperties: false })],
  { description: 'a text, or an object with text and textPair' },
);
