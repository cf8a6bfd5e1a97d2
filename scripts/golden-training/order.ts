/** Names with numbers in them in the order of the numbers. */
export function inNumberOrder(names: readonly string[]): string[] {
  return [...names].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}
