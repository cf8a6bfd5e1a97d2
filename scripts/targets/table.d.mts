interface Target {
  readonly triple: string;
  readonly os: string;
  readonly cpu: string;
  readonly libc?: 'glibc' | 'musl';
}

export const targets: Readonly<Record<string, Target>>;
/** The target of a system: `libc` is glibc or musl on Linux. Undefined where none is made for it. */
export function targetOf(platform: string, arch: string, libc: string | undefined): string | undefined;
/** The names that are asked for, in the table's order; all where none is. Throws where one is unknown. */
export function chooseTargets(names: readonly string[]): string[];
