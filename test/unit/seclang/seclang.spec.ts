import { Arena } from "../../../assembly/bytes/arena";
import { startRuleSet } from "../../../assembly/config/ruleset";
import { PATIENCE_MAX, setPatience } from "../../../assembly/match/sieve";
import { compile, restartOrdinals, ruleCount } from "../../../assembly/seclang/compiler";
import { clearError, message } from "../../../assembly/seclang/errors";
import { runPhase } from "../../../assembly/seclang/evaluate";
import { link } from "../../../assembly/seclang/link";
import { nameNumber } from "../../../assembly/seclang/names";
import { finishReports } from "../../../assembly/seclang/report";
import { RuleList } from "../../../assembly/seclang/rulelist";
import { Settings } from "../../../assembly/seclang/settings";
import { Transaction } from "../../../assembly/seclang/transaction";
import { ARGS_GET, ARGS_POST, REMOTE_ADDR, REQUEST_HEADERS } from "../../../assembly/seclang/variables";
import { random, randomPattern, randomText } from "../random";
import { arena, get, len, ptr, put } from "../text";

let tx: Transaction = changetype<Transaction>(0);

/** Compiles rules; gives the error, or an empty text. */
let rules: RuleList = changetype<RuleList>(0);
let settings: Settings = changetype<Settings>(0);
function build(text: string): string {
  startRuleSet();
  clearError();
  restartOrdinals(0);
  rules = RuleList.create(arena);
  settings = Settings.defaults(arena);
  put("test.conf");
  const name = ptr;
  const nameLen = len;
  put(text);
  return compile(arena, rules, settings, name, nameLen, ptr, len) ? "" : get(message.ptr, message.len);
}

function arg(name: string, value: string): void {
  put(name);
  const namePtr = ptr;
  const nameLen = len;
  put(value);
  tx.list(ARGS_GET).add(arena, namePtr, nameLen, ptr, len);
}

/**
 * Runs phases 1 and 2 over `a=1`, `b=<script>`, `list=x y z`; gives the ids of reported rules, `!` if it blocks.
 * Without `settles`, rules that depend on no request are run like all others.
 */
function run(text: string, settles: bool = true): string {
  const error = build(text);
  if (error != "") return error;
  const own = Arena.create(0);
  tx = Transaction.create(own, link(arena, rules, ruleCount(), settings, settles), settings);
  arg("a", "1");
  arg("b", "<ScRiPt>");
  arg("list", "x y z");
  put("Host");
  const namePtr = ptr;
  put("example.org");
  tx.list(REQUEST_HEADERS).add(arena, namePtr, 4, ptr, len);
  put("192.0.2.7");
  tx.set(REMOTE_ADDR, ptr, len);
  const stopped = runPhase(tx, 1) || runPhase(tx, 2);
  let result = "";
  let match = tx.matches;
  while (match) {
    if (result != "") result += " ";
    result += match.rule.id.toString();
    if (match.msgLen > 0) result += ":" + get(match.msg, match.msgLen);
    match = match.next;
  }
  return result + (stopped ? "!" : "");
}

/** Gives a TX variable, "-" if it is not set. */
function txValue(name: string): string {
  put(name);
  const span = tx.findTx(ptr, len);
  return span == 0 || load<usize>(span) == 0 ? "-" : get(load<usize>(span), load<i32>(span, 4));
}

describe("operators", () => {
  test("each decides as documented", () => {
    const matching = [
      'ARGS:a "@eq 1"',
      'ARGS:a "@ge 1"',
      'ARGS:a "@le 1"',
      'ARGS:a "!@gt 1"',
      'ARGS:a "@lt 2"',
      'ARGS:a "@streq 1"',
      'ARGS:b "@beginsWith <S"',
      'ARGS:b "@endsWith >"',
      'ARGS:b "@contains Ri"',
      'ARGS:list "@containsWord y"',
      'ARGS:list "@pm nothing Y"',
      'ARGS:list "@rx ^x.*z$"',
      'ARGS:a "@within 0 1 2"',
      'ARGS:a "@unconditionalMatch"',
      'ARGS:b "@validateByteRange 32-90"',
      'REMOTE_ADDR "@ipMatch 10.0.0.0/8,192.0.2.0/24"',
      'ARGS:b "@strmatch cRi"',
      'ARGS:list "x y"',
    ];
    for (let i = 0; i < matching.length; i++) expect(run("SecRule " + matching[i] + ' "id:1,phase:1,pass"')).toBe("1", matching[i]);
    const not = [
      'ARGS:a "@eq 2"',
      'ARGS:list "@containsWord yz"',
      'ARGS:b "@streq <script>"',
      'ARGS:a "@noMatch"',
      'ARGS:nothing "@rx .*"',
      'ARGS:a "@validateUtf8Encoding"',
      'ARGS:a "@validateUrlEncoding"',
    ];
    for (let i = 0; i < not.length; i++) expect(run("SecRule " + not[i] + ' "id:1,phase:1,pass"')).toBe("", not[i]);
  });

  test("check digits: ISO/IEC 7812-1's own example, and one digit off", () => {
    expect(run('SecAction "id:9,phase:1,pass,nolog,setvar:tx.n=4012888888881881"\nSecRule TX:n "@verifyCC \\d{16}" "id:1,phase:1,pass"')).toBe("1");
    expect(run('SecAction "id:9,phase:1,pass,nolog,setvar:tx.n=4012888888881882"\nSecRule TX:n "@verifyCC \\d{16}" "id:1,phase:1,pass"')).toBe("");
  });
});

describe("targets", () => {
  test("selectors, patterns, counts and exclusions", () => {
    expect(run('SecRule &ARGS "@eq 3" "id:1,phase:1,pass"')).toBe("1");
    expect(run('SecRule &ARGS:/^[ab]$/ "@eq 2" "id:1,phase:1,pass"')).toBe("1");
    expect(run('SecRule ARGS|!ARGS:b "@contains <" "id:1,phase:1,pass"')).toBe("");
    expect(run('SecRule ARGS|!ARGS:/^b/ "@contains <" "id:1,phase:1,pass"')).toBe("");
    expect(run('SecRule ARGS_NAMES "@streq list" "id:1,phase:1,pass"')).toBe("1");
    expect(run('SecRule REQUEST_HEADERS:hOsT "@streq example.org" "id:1,phase:1,pass"')).toBe("1");
    expect(run('SecRule &TX:nothing "@eq 0" "id:1,phase:1,pass"')).toBe("1");
  });
});

describe("actions", () => {
  test("a chain matches as a whole, and its setvars run as its links match", () => {
    const chain = 'SecRule ARGS:a "@eq 1" "id:1,phase:1,pass,setvar:tx.first=1,chain"\n  SecRule ARGS:b "@rx nothing" "setvar:tx.second=1"';
    expect(run(chain)).toBe("");
    expect(txValue("first")).toBe("1");
    expect(txValue("second")).toBe("-");
    expect(run(chain.replace("nothing", "ScR"))).toBe("1");
    expect(txValue("second")).toBe("1");
  });

  test("setvar adds, subtracts, unsets, and names can be made up", () => {
    run('SecAction "id:1,phase:1,pass,setvar:tx.n=5,setvar:tx.n=+%{tx.n},setvar:tx.n=-3,setvar:tx.gone=1,setvar:!tx.gone,setvar:tx.x_%{ARGS.a}=made"');
    expect(txValue("n")).toBe("7");
    expect(txValue("gone")).toBe("-");
    expect(txValue("x_1")).toBe("made");
  });

  test("a pattern selects keys that rules name, that requests make up, and that come later", () => {
    const set = 'SecAction "id:1,phase:1,pass,nolog,setvar:tx.key_a=1,setvar:tx.other=1"\n';
    const made = 'SecRule ARGS "@unconditionalMatch" "id:2,phase:1,pass,nolog,setvar:\'tx.key_%{MATCHED_VAR_NAME}=2\'"\n';
    const counts = 'SecRule &TX:/^KEY_/ "@eq 4" "id:3,phase:1,pass"\nSecRule TX:/^key_a/ "@eq 1" "id:4,phase:1,pass"\n';
    expect(run(set + made + counts, false)).toBe("3 4");
    // a key that another configuration names is a slot that this program did not know when it was linked
    const program = link(arena, rules, ruleCount(), settings, false);
    put("key_later");
    nameNumber(ptr, len);
    tx = Transaction.create(Arena.create(0), program, settings);
    put("key_later");
    tx.setTx(ptr, len, ptr, 1);
    arg("a", "1");
    arg("b", "2");
    runPhase(tx, 1);
    expect(tx.matches!.rule.id).toBe(3);
  });
  test("setvar runs once for each value that matches", () => {
    run('SecRule ARGS "@unconditionalMatch" "id:1,phase:1,pass,setvar:tx.n=+1"');
    expect(txValue("n")).toBe("3");
  });

  test("captures and macros", () => {
    expect(run('SecRule ARGS:list "@rx (x) (y)" "id:1,phase:1,pass,capture,msg:\'%{TX.0}|%{tx.1}|%{TX.2}|%{MATCHED_VAR_NAME}|%{rule.id}\'"')).toBe(
      "1:x y|x|y|ARGS:list|1",
    );
  });

  test("captures are those of the last match, whoever asks for them", () => {
    const two = 'SecRule ARGS:list "@rx (x) (y)" "id:1,phase:1,pass,nolog,capture"\nSecRule ARGS:a "@rx (1)" "id:2,phase:1,pass,nolog,capture"\n';
    const asks = (what: string): string => what + '"id:3,phase:1,pass"';
    expect(run(two + asks('SecRule TX:1 "@streq 1" '))).toBe("3");
    expect(run(two + asks('SecRule TX:2 "@unconditionalMatch" '))).toBe("");
    expect(run(two + asks('SecRule &TX:/^[0-9]$/ "@eq 2" '))).toBe("3");
    expect(run('SecRule ARGS:list "@rx (x) (y)" "id:1,phase:1,pass,nolog,capture,setvar:tx.kept=%{TX.2}"\n' + asks('SecRule TX:kept "@streq y" '))).toBe("3");
    expect(run('SecRule ARGS:list "@rx (x) (y)" "id:1,phase:1,pass,nolog,capture,chain"\nSecRule TX:1 "@streq x" ""\n')).toBe("");
    expect(run('SecRule ARGS:list "@rx (x) (y)" "id:1,phase:1,pass,capture,chain"\nSecRule TX:1 "@streq x" ""\n')).toBe("1");
    expect(run('SecRule ARGS "@contains y" "id:1,phase:1,pass,nolog,capture"\n' + asks('SecRule TX:0 "@streq y" '))).toBe("3");
  });

  test("data of a report that needs captures is what it was when the rule matched", () => {
    const first = 'SecRule ARGS:list "@rx (x) (y)" "id:1,phase:1,pass,capture,logdata:\'%{TX.0} %{TX.2} in %{MATCHED_VAR_NAME}: %{MATCHED_VAR}\'"\n';
    const second = 'SecRule ARGS:a "@rx (1)" "id:2,phase:1,pass,capture,logdata:\'%{TX.1}%{tx.other}\',setvar:tx.other=!"\n';
    expect(run(first + second)).toBe("1 2");
    finishReports(tx);
    const match = tx.matches!;
    expect(get(match.data, match.dataLen)).toBe("x y y in ARGS:list: x y z");
    expect(get(match.next!.data, match.next!.dataLen)).toBe("1!");
    const value = match.values!;
    expect(value.unlocated == null).toBe(true);
    expect(get(value.ptr + value.from, value.matchLen)).toBe("x y");
  });

  test("where long values matched is said for a few, and costs little", () => {
    const rule = 'SecRule ARGS "@rx (?:ab)+c" "id:1,phase:1,pass,capture,logdata:\'%{TX.0}\'"\n';
    const error = build(rule);
    expect(error).toBe("");
    tx = Transaction.create(Arena.create(0), link(arena, rules, ruleCount(), settings, true), settings);
    arg("a", "-".repeat(5000) + "ababc" + "-".repeat(5000));
    runPhase(tx, 1);
    finishReports(tx);
    const match = tx.matches!;
    expect(get(match.data, match.dataLen)).toBe("abc");
    expect(match.values!.from).toBe(5002);
    expect(match.values!.matchLen).toBe(3);
  });

  test("what a rule changes is seen by the next one, in groups of rules too", () => {
    const set = (n: string, v: string): string =>
      'SecAction "id:' + n + ",phase:1,pass,nolog,setvar:'ip.a=" + v + "',setvar:'ip.b=" + v + "',setvar:'ip.c=" + v + "'\"\n";
    const look = (n: string): string => 'SecRule IP "@rx [;]x" "id:' + n + ',phase:1,pass"\n';
    expect(run(set("1", "1") + look("2") + set("3", ";x") + look("4"))).toBe("4");
  });

  test("transformations, and multiMatch before each", () => {
    expect(run('SecRule ARGS:b "@streq <script>" "id:1,phase:1,pass,t:lowercase"')).toBe("1");
    expect(run('SecRule ARGS:b "@streq <ScRiPt>" "id:1,phase:1,pass,t:lowercase"')).toBe("");
    expect(run('SecRule ARGS:b "@streq <ScRiPt>" "id:1,phase:1,pass,t:lowercase,multiMatch"')).toBe("1");
    expect(run('SecRule ARGS:b "@streq <ScRiPt>" "id:1,phase:1,pass,t:lowercase,t:none"')).toBe("1");
  });

  test("skip and skipAfter", () => {
    const later = 'SecAction "id:2,phase:1,pass"\nSecAction "id:3,phase:1,pass"\nSecMarker END\nSecAction "id:4,phase:1,pass"';
    expect(run('SecAction "id:1,phase:1,pass,skip:1"\n' + later)).toBe("1 3 4");
    expect(run('SecAction "id:1,phase:1,pass,skipAfter:END"\n' + later)).toBe("1 4");
    expect(run('SecAction "id:1,phase:1,pass,skipAfter:NOWHERE"\n' + later)).toBe("1");
  });

  test("deny, block by default action, allow", () => {
    expect(run('SecRule ARGS:a "@eq 1" "id:1,phase:1,deny"\nSecAction "id:2,phase:1,pass"')).toBe("1!");
    expect(run('SecDefaultAction "phase:1,deny,log"\nSecRule ARGS:a "@eq 1" "id:1,phase:1,block"')).toBe("1!");
    expect(run('SecRule ARGS:a "@eq 1" "id:1,phase:1,block"')).toBe("1");
    expect(run('SecAction "id:1,phase:1,allow"\nSecAction "id:2,phase:1,deny"\nSecAction "id:3,phase:2,deny"')).toBe("1");
    expect(run('SecAction "id:1,phase:1,allow:phase"\nSecAction "id:2,phase:1,deny"\nSecAction "id:3,phase:2,deny"')).toBe("1 3!");
    expect(run('SecRuleEngine DetectionOnly\nSecAction "id:1,phase:1,deny"\nSecAction "id:2,phase:2,deny"')).toBe("1 2");
  });

  test("ctl takes rules and targets away", () => {
    const rest = "\nSecRule ARGS:b \"@contains <\" \"id:5,phase:2,pass,tag:'t',msg:'m'\"";
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=5"' + rest)).toBe("");
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveById=2-9"' + rest)).toBe("");
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveByTag=t"' + rest)).toBe("");
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveByMsg=m"' + rest)).toBe("");
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=5;ARGS:b"' + rest)).toBe("");
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetByTag=t;ARGS"' + rest)).toBe("");
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleRemoveTargetById=5;ARGS:c"' + rest)).toBe("5:m");
    expect(run('SecAction "id:1,phase:1,pass,nolog,ctl:ruleEngine=Off"' + rest)).toBe("");
  });
});

/** A condition: about TX variables, which may be settled, or about the request, which may not. */
function randomCondition(): string {
  const name = "v" + random(4).toString();
  switch (random(6)) {
    case 0:
      return "SecAction ";
    case 1:
      return `SecRule &TX:${name} "@eq ${random(2)}" `;
    case 2:
      return `SecRule TX:${name} "@${random(2) ? "lt" : "ge"} ${random(4)}" `;
    case 3:
      return `SecRule TX:/^v/ "@eq ${random(4)}" `;
    case 4:
      return `SecRule TX:${name} "!@eq %{tx.v${random(4)}}" `;
    default:
      return `SecRule ARGS:a "@eq ${random(2)}" `;
  }
}

function randomEffect(id: i32): string {
  const name = "v" + random(4).toString();
  switch (random(9)) {
    case 0:
      return `,setvar:tx.${name}=${random(4)}`;
    case 1:
      return `,setvar:tx.${name}=+${random(3)}`;
    case 2:
      return `,setvar:tx.${name}=%{tx.v${random(4)}}`;
    case 3:
      return `,setvar:!tx.${name}`;
    case 4:
      return ",skip:" + (1 + random(3)).toString();
    case 5:
      return `,skipAfter:M${id / 100}${random(4)}`;
    case 6:
      return `,setvar:tx.v%{ARGS.a}=${random(4)}`;
    case 7:
      return `,ctl:ruleRemoveById=${id + 1 + random(6)}`;
    default:
      return "";
  }
}

function randomProgram(): string {
  let text = "";
  for (let phase = 1; phase <= 2; phase++) {
    for (let i = 0; i < 14; i++) {
      const id = phase * 100 + i;
      const ends = random(20);
      text += `${randomCondition()}"id:${id},phase:${phase},${ends == 0 ? "allow:phase" : ends == 1 ? "deny" : "pass"},${random(3) ? "nolog" : "log"}${randomEffect(id)}"\n`;
      if (random(3) == 0) text += `SecMarker M${phase}${random(4)}\n`;
    }
    text += `SecRule TX:/^v/ "@unconditionalMatch" "id:${phase * 100 + 99},phase:${phase},pass,msg:'%{tx.v0}|%{tx.v1}|%{tx.v2}|%{tx.v3}'"\n`;
  }
  return text;
}

/** Runs the phases of a request over the transaction at hand; gives the ids of the rules that matched. */
function idsOfRequest(): string {
  runPhase(tx, 1);
  runPhase(tx, 2);
  let result = "";
  for (let match = tx.matches; match; match = match!.next) result += match!.rule.id.toString() + " ";
  return result;
}

/** Gives the ids of the rules that match requests with these arguments, while sieves have that much patience. */
function matching(text: string, values: string[], patience: i32): string {
  const error = build(text);
  if (error != "") return error;
  setPatience(patience);
  tx = Transaction.create(Arena.create(0), link(arena, rules, ruleCount(), settings), settings);
  for (let i = 0; i < values.length; i++) arg("a" + i.toString(), values[i]);
  const result = idsOfRequest();
  setPatience(PATIENCE_MAX);
  return result;
}

/** Gives the ids of the rules that match a request with arguments and headers of these names, all of them with the value `x1`. */
function matchingNames(text: string, args: string[], headers: string[]): string {
  const error = build(text);
  if (error != "") return error;
  tx = Transaction.create(Arena.create(0), link(arena, rules, ruleCount(), settings), settings);
  put("x1");
  const value = ptr;
  for (let i = 0; i < args.length; i++) tx.list(i % 2 ? ARGS_GET : ARGS_POST).add(arena, put(args[i]), args[i].length, value, 2);
  for (let i = 0; i < headers.length; i++) tx.list(REQUEST_HEADERS).add(arena, put(headers[i]), headers[i].length, value, 2);
  return idsOfRequest();
}

describe("rules about names", () => {
  test("run if their name is there: as those that select it by a pattern", () => {
    const names = ["a", "B", "field_1", "field_2", "X-One", "x-two"];
    let some = 0;
    for (let round = 0; round < 120; round++) {
      let byName = "";
      let byPattern = "";
      for (let id = 1; id <= 30; id++) {
        const name = names[random(6)];
        const other = names[random(6)];
        const variable = random(3) ? "ARGS" : "REQUEST_HEADERS";
        const both = random(4) == 0;
        const rest = ` "@rx x[0-9]" "id:${id},phase:${1 + random(2)},pass${random(3) ? "" : ",t:lowercase"}${random(8) ? "" : ",skip:2"}"\n`;
        byName += `SecRule ${variable}:${name}${both ? "|REQUEST_HEADERS:" + other : ""}${rest}`;
        byPattern += `SecRule ${variable}:/^${name}$/${both ? "|REQUEST_HEADERS:/^" + other + "$/" : ""}${rest}`;
      }
      const args: string[] = [];
      const headers: string[] = [];
      for (let n = random(6); n > 0; n--) args.push(random(2) ? names[random(6)].toUpperCase() : "other");
      for (let n = random(4); n > 0; n--) headers.push(names[random(6)]);
      const wanted = matchingNames(byPattern, args, headers);
      if (wanted != "") some++;
      expect(matchingNames(byName, args, headers) == wanted).toBe(true, byName);
    }
    expect(some > 60).toBe(true);
  });
});

describe("sieves", () => {
  test("without patience rules decide the same: random patterns and long values", () => {
    const transformations = ["", ",t:lowercase", ",t:removeWhitespace", ",t:lowercase,t:removeWhitespace"];
    let some = 0;
    for (let i = 0; i < 80; i++) {
      let text = "";
      for (let id = 1; id <= 16; id++) {
        let pattern = randomPattern(2);
        while (pattern.includes("\n")) pattern = randomPattern(2);
        text += 'SecRule ARGS "@rx ' + pattern + 'c{3}[_-]" "id:' + id.toString() + ",phase:2,pass" + transformations[random(4)] + '"\n';
      }
      const values = [randomText(), randomText(900), randomText(900), randomText(600)];
      const wanted = matching(text, values, PATIENCE_MAX);
      if (wanted.length > 4) some++;
      const impatient = matching(text, values, 0);
      expect("[" + impatient + "]").toBe("[" + wanted + "]", text + i.toString());
      const partly = matching(text, values, 30);
      expect("[" + partly + "]").toBe("[" + wanted + "]", i.toString());
    }
    expect(some > 20).toBe(true);
  });
});

describe("settling", () => {
  test("what is decided ahead is what would be decided for each request: random programs", () => {
    let wrong = "";
    for (let i = 0; i < 1200; i++) {
      const text = randomProgram();
      const plain = run(text, false);
      // a program that does not compile would prove nothing
      if (plain.startsWith("test.conf")) wrong += plain;
      const plainValues = txValue("v0") + txValue("v1") + txValue("v2") + txValue("v3");
      if (run(text) != plain) wrong += "\n" + text;
      // after a block nobody looks at variables any more
      else if (!plain.endsWith("!") && txValue("v0") + txValue("v1") + txValue("v2") + txValue("v3") != plainValues) wrong += "\nvalues of\n" + text;
      if (wrong != "") break;
    }
    expect(wrong).toBe("");
  });

  test("defaults are set, levels that are off are dropped, rules that depend on requests stay", () => {
    const text =
      'SecRule &TX:level "@eq 0" "id:1,phase:1,pass,nolog,setvar:tx.level=1"\n' +
      'SecRule TX:level "@lt 2" "id:2,phase:1,pass,nolog,skipAfter:END"\n' +
      'SecRule ARGS:a "@eq 1" "id:3,phase:1,pass"\nSecMarker END\nSecRule ARGS:a "@eq 1" "id:4,phase:1,pass"';
    expect(run(text)).toBe("4");
    expect(tx.program.count(1)).toBe(1);
    expect(txValue("level")).toBe("1");
  });
});

describe("directives that change rules", () => {
  const rule = "SecRule ARGS:b \"@contains <\" \"id:5,phase:1,pass,tag:'t',msg:'m'\"\n";
  test("remove and update", () => {
    expect(run(rule + "SecRuleRemoveById 5")).toBe("");
    expect(run(rule + "SecRuleRemoveById 1-4 5-6")).toBe("");
    expect(run(rule + "SecRuleRemoveByTag t")).toBe("");
    expect(run(rule + "SecRuleRemoveByMsg m")).toBe("");
    expect(run(rule + 'SecRuleUpdateTargetById 5 "!ARGS:b"')).toBe("");
    expect(run(rule + 'SecRuleUpdateTargetByTag t "!ARGS:b"')).toBe("");
    const compare = `SecAction "id:1,phase:1,pass,nolog,setvar:tx.a=1,setvar:tx.b=9"\nSecRule TX:a "@gt 5" "id:2,phase:1,pass"\n`;
    expect(run(compare)).toBe("");
    expect(run(`${compare}SecRuleUpdateTargetById 2 "TX:b"`)).toBe("2");
    expect(run(rule + "SecRuleUpdateActionById 5 \"deny,msg:'n'\"")).toBe("5:n!");
  });
  test("continued lines, comments and quotes", () => {
    expect(run("# a comment \\\n" + 'SecRule ARGS:b \\\r\n   "@rx \\"?<" \\\r\n  "id:5,\\\r\n  phase:1,pass"\r\n')).toBe("5");
  });
  test("errors name file, line and directive", () => {
    expect(build('SecAction "id:1,pass"\n\nSecAction "id:1,pass"')).toBe("test.conf:3: SecAction: id 1 is already used in line 1 of test.conf");
    expect(build("SecRule ARGS")).toBe('test.conf:1: SecRule: expected VARIABLES "OPERATOR" "ACTIONS"');
    expect(build('SecRule REMOTE_ADDR:x "@rx a" "id:1"')).toBe("test.conf:1: SecRule: variable `REMOTE_ADDR` is no collection and takes no selector");
    expect(build('SecRule ARGS "@rx a" "id:1,phase:9"')).toBe("test.conf:1: SecRule: phase `9`: expected 1 to 5, request, response or logging");
    expect(build("SecRuleEngine Maybe")).toBe("test.conf:1: SecRuleEngine: value `Maybe`: expected On, Off or DetectionOnly");
  });
});
