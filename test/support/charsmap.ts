/** A character map of the Precompiled normalizer that replaces `entries`' keys, UTF-8 bytes or text, by texts: a Darts double array and its strings. */
export function makeCharsmap(entries: Iterable<readonly [string | Uint8Array, string]>): Uint8Array {
  interface Node {
    readonly children: Map<number, Node>;
    value?: number;
  }
  const root: Node = { children: new Map() };
  const strings: Buffer[] = [];
  let length = 0;
  for (const [key, text] of entries) {
    let node = root;
    for (const byte of typeof key === 'string' ? Buffer.from(key) : key) {
      let child = node.children.get(byte);
      if (child === undefined) node.children.set(byte, (child = { children: new Map() }));
      node = child;
    }
    node.value = length;
    strings.push(Buffer.from(`${text}\0`));
    length += (strings.at(-1) as Buffer).length;
  }
  const units: number[] = [0];
  const used = new Set([0]);
  const place = (node: Node, at: number, label: number): void => {
    // The value of a node lies where a byte of 0 would lead.
    const labels = [...node.children.keys(), ...(node.value === undefined ? [] : [0])];
    let base = 1;
    while (labels.some((byte) => used.has(base ^ byte)) || used.has(-base - 1)) base++;
    used.add(-base - 1);
    for (const byte of labels) used.add(base ^ byte);
    units[at] = ((at ^ base) << 10) | (node.value === undefined ? 0 : 1 << 8) | label;
    if (node.value !== undefined) units[base] = node.value | (1 << 31);
    for (const [byte, child] of node.children) place(child, base ^ byte, byte);
  };
  place(root, 0, 0);
  // The reference reads wherever a byte may lead.
  while (units.length % 256 !== 0) units.push(0);
  const map = Buffer.alloc(4 + 4 * units.length + length);
  map.writeUInt32LE(4 * units.length, 0);
  for (let i = 0; i < units.length; i++) map.writeUInt32LE((units[i] ?? 0) >>> 0, 4 + 4 * i);
  Buffer.concat(strings).copy(map, 4 + 4 * units.length);
  return map;
}
