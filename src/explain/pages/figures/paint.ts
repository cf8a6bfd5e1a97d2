/** What classes of pictures look like where no style sheet tells: in SVG files, on white. The page's style sheet has the same names. */
export const paint: Readonly<Record<string, Readonly<Record<string, string | number>>>> = {
  ink: { fill: '#1b2430' },
  faint: { fill: '#5a6675' },
  plus: { fill: '#e07b29' },
  minus: { fill: '#3b82c4' },
  accent: { fill: '#1f5fa8' },
  rule: { stroke: '#cbd3dd', fill: 'none' },
  axis: { stroke: '#5a6675', fill: 'none' },
  band: { fill: '#1f5fa8', 'fill-opacity': 0.15 },
  'line-0': { stroke: '#1f5fa8', fill: 'none', 'stroke-width': 2 },
  'line-1': { stroke: '#b4632b', fill: 'none', 'stroke-width': 2, 'stroke-dasharray': '5 4' },
  'line-2': { stroke: '#5a6675', fill: 'none', 'stroke-width': 1.5, 'stroke-dasharray': '2 3' },
  'line-3': { stroke: '#009e73', fill: 'none', 'stroke-width': 2 },
  'line-4': { stroke: '#cc79a7', fill: 'none', 'stroke-width': 2, 'stroke-dasharray': '8 3' },
  'line-5': { stroke: '#8a6d3b', fill: 'none', 'stroke-width': 2, 'stroke-dasharray': '8 3 2 3' },
  small: { 'font-size': 12 },
  strong: { 'font-weight': 600 },
};

/** Colours of groups, told apart by people who see few colours too (Okabe and Ito 2008, two more); beyond them they repeat. */
export const groupColours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6d3b', '#7a52c7', '#5f8f3a', '#777f8a'];

/** Attributes of the classes of an element in place of its class. */
export function painted(attributes: Readonly<Record<string, unknown>>): Record<string, string | number | boolean | undefined> {
  const { class: classes, ...rest } = attributes as Record<string, string | number | boolean | undefined>;
  if (typeof classes !== 'string') return rest;
  return Object.assign({}, ...classes.split(' ').map((name) => paint[name] ?? {}), rest) as Record<string, string | number>;
}
