interface NativeFile {
  readonly format: 'ELF' | 'Mach-O' | 'PE';
  readonly machine: string;
  readonly libraries: readonly string[];
  readonly exports: readonly string[];
  /** Of ELF: versions of symbols that it needs. */
  readonly versions?: readonly string[];
  /** Of ELF: whether it stays in memory. */
  readonly isPinned?: boolean;
  /** Of Mach-O: symbols that the program must have. */
  readonly lookups?: readonly string[];
  /** Of Mach-O: whether its hashes are those of the file. */
  readonly signature?: 'none' | 'valid' | 'broken';
}

/** Reads a file of any of the formats. Throws where it is of none. */
export function readAddon(bytes: Buffer): NativeFile;
/** The minor number of the newest glibc that symbols come from; -1 where none does. */
export function newestGlibc(file: NativeFile): number;
/** What is wrong with a target's addon, among the cells of the table. */
export function checkTarget(name: string, file: string): { readonly problems: readonly string[] };
