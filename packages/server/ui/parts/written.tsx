/** A text that a model has written, or what there is of it. */
export function Written({ text }: { readonly text: string }) {
  return <p class="text written">{text}</p>;
}
