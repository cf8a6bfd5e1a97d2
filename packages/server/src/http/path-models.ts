import type { IncomingMessage } from 'node:http';
import type { ModelRegistry } from '../models/registry.js';

const kPrefix = '/models/';

/**
 * For clients that cannot set a field: `/models/NAME/embed` is `/embed` for that model, `/models/NAME` is `/`. Returns the path without the model, which
 * it writes down. A name may have a slash in it, as those of the Hub; a name that no model has is refused later.
 */
export function takePathModel(request: IncomingMessage, models: ModelRegistry, taken: WeakMap<IncomingMessage, string>): string {
  const url = request.url ?? '/';
  if (!url.startsWith(kPrefix)) return url;
  const end = url.indexOf('?');
  const query = end < 0 ? '' : url.slice(end);
  const path = decoded(url.slice(kPrefix.length, end < 0 ? undefined : end));
  if (path === undefined || path === '') return url;
  const name = models.names.find((each) => path === each || path.startsWith(`${each}/`)) ?? path.split('/', 1)[0]!;
  taken.set(request, name);
  return (path.slice(name.length) || '/') + query;
}

/** Undefined for what is no URL. */
function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
