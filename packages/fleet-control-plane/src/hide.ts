/** Gives an object fields that can be read, but that neither `util.inspect` nor JSON shows: they carry secrets. */
export function hide<T extends object, H extends object>(object: T, hidden: H): T & H {
  for (const [name, value] of Object.entries(hidden)) Object.defineProperty(object, name, { value });
  return object as T & H;
}
