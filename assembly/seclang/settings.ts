/** What directives other than rules say: one set for each profile. */
import { Arena, make } from "../bytes/arena";
import { DO_PASS, ENGINE_ON, Rule } from "./model";

/** What happens past a body limit. */
export const LIMIT_REJECT: i32 = 0;
/** The part within the limit is inspected, the rest passes. */
export const LIMIT_PARTIAL: i32 = 1;

@unmanaged
export class MimeType {
  ptr: usize;
  len: i32;
  next: MimeType | null;
}

@unmanaged
export class Settings {
  engine: i32;
  requestBodyAccess: bool;
  responseBodyAccess: bool;
  /** Bytes of a request body that are inspected. */
  requestBodyLimit: i32;
  /** The same for bodies that are not multipart; 0 for no limit of their own. */
  requestBodyNoFilesLimit: i32;
  requestBodyLimitAction: i32;
  responseBodyLimit: i32;
  responseBodyLimitAction: i32;
  /** Types of response bodies that are inspected. */
  mimeTypes: MimeType | null;
  /** Levels of JSON. */
  jsonDepthLimit: i32;
  /** Arguments of one request. */
  argumentsLimit: i32;
  argumentSeparator: u8;
  webAppId: usize;
  webAppIdLen: i32;
  /** SecDefaultAction of phases 1 to 5, as rules; addresses. */
  private d1: usize;
  private d2: usize;
  private d3: usize;
  private d4: usize;
  private d5: usize;

  /** Gives the settings that hold where no directive says otherwise. */
  static defaults(arena: Arena): Settings {
    const settings = make<Settings>(arena);
    settings.engine = ENGINE_ON;
    settings.requestBodyAccess = true;
    settings.responseBodyAccess = false;
    settings.requestBodyLimit = 13107200;
    settings.responseBodyLimit = 524288;
    settings.responseBodyLimitAction = LIMIT_PARTIAL;
    settings.jsonDepthLimit = 1024;
    settings.argumentsLimit = 1000;
    settings.argumentSeparator = 0x26;
    return settings;
  }

  /** Gives a copy in `arena`; lists are shared and only ever extended at the front. */
  copy(arena: Arena): Settings {
    return changetype<Settings>(arena.copy(changetype<usize>(this), <i32>offsetof<Settings>()));
  }

  defaultAction(phase: i32): Rule | null {
    return changetype<Rule | null>(load<usize>(changetype<usize>(this) + offsetof<Settings>("d1") + ((<usize>(phase - 1)) << 2)));
  }

  setDefaultAction(phase: i32, rule: Rule): void {
    store<usize>(changetype<usize>(this) + offsetof<Settings>("d1") + ((<usize>(phase - 1)) << 2), changetype<usize>(rule));
  }
}

/** Gives what `block` means in a phase. */
export function blockMeans(settings: Settings, phase: i32): i32 {
  const rule = settings.defaultAction(phase);
  return rule ? rule.disruptive : DO_PASS;
}
