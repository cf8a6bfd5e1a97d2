/** How many colours a terminal has: none, 16, 256, or 24 bits. */
export type ColourDepth = 0 | 16 | 256 | 'true';

/** Ways to write on a terminal. */
export interface Styles {
  bold(text: string): string;
  dim(text: string): string;
  warn(text: string): string;
  /** Orange for what raises a score, blue for what lowers it, as strong as `share` of the largest. */
  tint(text: string, value: number, share: number): string;
}

type Colour = readonly [red: number, green: number, blue: number];
const [kPlus, kMinus, kGrey]: readonly [Colour, Colour, Colour] = [
  [224, 123, 41],
  [74, 144, 217],
  [145, 145, 145],
];
/** The steps of the cube of 256 colours. */
const kCube = [0, 95, 135, 175, 215, 255];

/** The colours that a program may use: those of the terminal that standard output is, unless NO_COLOR forbids them or FORCE_COLOR orders them. */
export function colourDepth(env: NodeJS.ProcessEnv, isTerminal: boolean): ColourDepth {
  const { NO_COLOR: never, FORCE_COLOR: forced, COLORTERM: colours, TERM: terminal = '' } = env;
  if (never !== undefined && never !== '') return 0;
  const isForced = forced !== undefined && forced !== '' && forced !== '0';
  if (!isForced && (!isTerminal || terminal === 'dumb')) return 0;
  if (forced === '3' || (forced !== '1' && forced !== '2' && /^(?:truecolor|24bit)$/.test(colours ?? ''))) return 'true';
  return forced === '2' || (forced !== '1' && /-256(?:color)?$/.test(terminal)) ? 256 : 16;
}

/** Styles for so many colours. */
export function stylesOf(depth: ColourDepth): Styles {
  if (depth === 0) return { bold: same, dim: same, warn: same, tint: same };
  const wrap = (open: string, close: number) => (text: string) => (text === '' ? '' : `\u001b[${open}m${text}\u001b[${close}m`);
  return {
    bold: wrap('1', 22),
    dim: wrap('2', 22),
    warn: wrap('33', 39),
    tint: (text, value, share) => {
      if (depth === 16) return wrap(value < 0 ? '34' : '33', 39)(text);
      const strength = Math.sqrt(Math.min(1, share));
      const colour = (value < 0 ? kMinus : kPlus).map((full, i) =>
        Math.round(kGrey[i]! + (full - kGrey[i]!) * strength),
      ) as unknown as Colour;
      return wrap(depth === 'true' ? `38;2;${colour.join(';')}` : `38;5;${cubeOf(colour)}`, 39)(text);
    },
  };
}

const same = (text: string): string => text;

function cubeOf(colour: Colour): number {
  const [red, green, blue] = colour.map((value) => {
    const distances = kCube.map((step) => Math.abs(step - value));
    return distances.indexOf(Math.min(...distances));
  }) as unknown as Colour;
  return 16 + 36 * red + 6 * green + blue;
}
