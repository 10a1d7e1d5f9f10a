/** What the doctor says. */
export interface Finding {
  level: "ok" | "warning" | "error";
  /** The plugin, and the proxy if it is about one. */
  place: string;
  text: string;
  /** What to do next, where there is something to do. */
  next?: string;
}

export type Add = (level: Finding["level"], text: string, next?: string) => void;
