/** Which bodies the rules of a program look at: what none looks at is neither held nor copied. */
import { Macro, Rule, SetVar, Target } from "./model";
import { Program } from "./program";
import {
  ARGS,
  ARGS_COMBINED_SIZE,
  ARGS_NAMES,
  ARGS_POST,
  ARGS_POST_NAMES,
  FILES,
  FILES_COMBINED_SIZE,
  FILES_NAMES,
  FILES_SIZES,
  FILES_TMP_CONTENT,
  FILES_TMPNAMES,
  FULL_REQUEST,
  FULL_REQUEST_LENGTH,
  INBOUND_DATA_ERROR,
  MULTIPART_BOUNDARY,
  MULTIPART_FILENAME,
  MULTIPART_NAME,
  MULTIPART_PART_HEADERS,
  MULTIPART_UNMATCHED_BOUNDARY,
  OUTBOUND_DATA_ERROR,
  REQBODY_ERROR,
  REQBODY_ERROR_MSG,
  REQUEST_BODY,
  REQUEST_BODY_LENGTH,
  RESPONSE_BODY,
  URLENCODED_ERROR,
  XML,
} from "./variables";

/** Sets `readsRequestBody`, `readsRawBody`, `readsFiles` and `readsResponseBody` of a program whose phases are complete. */
export function findReads(program: Program): void {
  for (let phase = 1; phase <= 5; phase++) {
    for (let i = 0; i < program.count(phase); i++) noteRule(program, program.rule(phase, i));
  }
}

function noteRule(program: Program, rule: Rule): void {
  for (let link: Rule | null = rule; link; link = link!.chained) {
    for (let target: Target | null = link.targets; target; target = target!.next) noteVariable(program, target.variable);
    noteMacro(program, link.argument);
    noteMacro(program, link.msg);
    noteMacro(program, link.logdata);
    noteMacro(program, link.redirect);
    for (let entry: SetVar | null = link.setvars; entry; entry = entry!.next) {
      noteMacro(program, entry.name);
      noteMacro(program, entry.value);
    }
  }
}

function noteMacro(program: Program, macro: Macro | null): void {
  for (let part: Macro | null = macro; part; part = part!.next) if (part.ptr == 0) noteVariable(program, part.variable);
}

function noteVariable(program: Program, variable: i32): void {
  if (variable == FILES_TMP_CONTENT) program.readsFiles = true;
  if (variable == RESPONSE_BODY || variable == OUTBOUND_DATA_ERROR) program.readsResponseBody = true;
  if (isOfRawBody(variable)) program.readsRawBody = true;
  if (isOfParsedBody(variable)) program.readsRequestBody = true;
}

/** True for variables that a request body sets whatever its type. */
function isOfRawBody(variable: i32): bool {
  switch (variable) {
    case FULL_REQUEST:
    case FULL_REQUEST_LENGTH:
    case INBOUND_DATA_ERROR:
    case REQUEST_BODY:
    case REQUEST_BODY_LENGTH:
      return true;
    default:
      return false;
  }
}

/** True for variables that a request body sets which has a body processor. */
function isOfParsedBody(variable: i32): bool {
  if (isOfRawBody(variable)) return true;
  if (variable >= MULTIPART_BOUNDARY && variable <= MULTIPART_UNMATCHED_BOUNDARY) return true;
  switch (variable) {
    case ARGS:
    case ARGS_COMBINED_SIZE:
    case ARGS_NAMES:
    case ARGS_POST:
    case ARGS_POST_NAMES:
    case FILES:
    case FILES_COMBINED_SIZE:
    case FILES_NAMES:
    case FILES_SIZES:
    case FILES_TMP_CONTENT:
    case FILES_TMPNAMES:
    case MULTIPART_FILENAME:
    case MULTIPART_NAME:
    case MULTIPART_PART_HEADERS:
    case REQBODY_ERROR:
    case REQBODY_ERROR_MSG:
    case URLENCODED_ERROR:
    case XML:
      return true;
    default:
      return false;
  }
}
