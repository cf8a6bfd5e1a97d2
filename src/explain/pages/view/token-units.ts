import type { AttributionBody, UnitData } from '../data.js';

/** The tokens that have values, as units; none where they are the units themselves. */
export function tokensAsUnits({ tokens, attributions, text, textPair = '' }: AttributionBody): UnitData[] {
  const own = tokens.flatMap(({ start, end, special, sequence, value }) => {
    if (special || value === undefined || sequence === null) return [];
    return [{ text: (sequence === 0 ? text : textPair).slice(start, end), start, end, sequence, value }];
  });
  const keyOf = ({ sequence, start, end }: UnitData): string => `${sequence} ${start} ${end}`;
  const known = new Set(attributions.map(keyOf));
  return own.every((token) => known.has(keyOf(token))) ? [] : own;
}
