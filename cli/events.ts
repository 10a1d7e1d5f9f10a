/** Events in logs: Envoy, Istio and kubectl put text of their own around them. */

/** Gives the event in a line, undefined if there is none. `T` is what the caller looks at of it, see docs/events.md. */
export function eventIn<T>(line: string): T | undefined {
  const start = line.indexOf('{"@timestamp"');
  const end = line.lastIndexOf("}");
  if (start < 0 || end < start) return undefined;
  try {
    return JSON.parse(line.slice(start, end + 1)) as T;
  } catch {
    // a line that was cut off
    return undefined;
  }
}

/** Gives the events in a text of lines. */
export function eventsIn<T>(text: string): T[] {
  return text.split("\n").flatMap((line) => eventIn<T>(line) ?? []);
}
