import { BerthaError } from '../../errors.js';
import { isCodedError } from '../../realms.js';

/** Imports a package that a command is in. Errors: USAGE, with what to type, where it is not installed. */
export async function importPackage<T>(name: string, command: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (cause) {
    if (!isCodedError(cause) || cause.code !== 'ERR_MODULE_NOT_FOUND' || !cause.message.includes(`'${name}'`)) throw cause;
    throw new BerthaError('USAGE', `${command} is in a package of its own: npm i ${name}`, { cause });
  }
}
