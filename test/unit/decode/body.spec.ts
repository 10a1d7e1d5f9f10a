import { make } from "../../../assembly/bytes/arena";
import { jsonBodyError, parseJsonBody } from "../../../assembly/decode/body/json";
import * as multipart from "../../../assembly/decode/body/multipart";
import { MultipartTrim } from "../../../assembly/decode/body/multiparttrim";
import { invalidEncoding, parseUrlencoded, tooMany } from "../../../assembly/decode/body/urlencoded";
import { parseXmlBody, xmlError } from "../../../assembly/decode/body/xml";
import { ItemList } from "../../../assembly/decode/items";
import { arena, get, len, ptr, put } from "../text";

/** Gives a list as `name=value;name=value`. */
function show(list: ItemList): string {
  let text = "";
  let item = list.first;
  while (item) {
    if (text.length > 0) text += ";";
    text += get(item.name, item.nameLen) + "=" + get(item.ptr, item.len);
    item = item.next;
  }
  return text;
}

function form(text: string): string {
  const list = make<ItemList>(arena);
  put(text);
  parseUrlencoded(arena, ptr, len, 0x26, list, 3);
  return show(list);
}

function json(text: string, depth: i32 = 8): string {
  const list = make<ItemList>(arena);
  put(text);
  const ok = parseJsonBody(arena, ptr, len, list, 100, depth);
  return show(list) + (ok ? "" : "!" + jsonBodyError);
}

function xml(text: string): string {
  const list = make<ItemList>(arena);
  put(text);
  const ok = parseXmlBody(arena, ptr, len, list, 100);
  return show(list) + (ok ? "" : "!" + xmlError);
}

let lists: multipart.MultipartLists = make<multipart.MultipartLists>(arena);

function newLists(): void {
  lists = make<multipart.MultipartLists>(arena);
  lists.args = make<ItemList>(arena);
  lists.files = make<ItemList>(arena);
  lists.filesNames = make<ItemList>(arena);
  lists.filesSizes = make<ItemList>(arena);
  lists.filenames = make<ItemList>(arena);
  lists.names = make<ItemList>(arena);
  lists.partHeaders = make<ItemList>(arena);
  lists.content = make<ItemList>(arena);
  lists.limit = 100;
}

function parts(body: string, type: string = "multipart/form-data; boundary=B"): bool {
  newLists();
  put(type);
  const typePtr = ptr;
  const typeLen = len;
  put(body);
  return multipart.parseMultipart(arena, ptr, len, typePtr, typeLen, lists);
}

describe("url-encoded bodies", () => {
  test("names and values are decoded, empty pairs skipped", () => {
    expect(form("a=1&b=%41+c&&d")).toBe("a=1;b=A c;d=");
    expect(form("=x&a==b")).toBe("=x;a==b");
  });
  test("limits and malformed escapes are flagged", () => {
    form("a=%zz");
    expect(invalidEncoding).toBe(true);
    form("a&b&c&d");
    expect(tooMany).toBe(true);
    form("a&b&c&&");
    expect(tooMany).toBe(false);
  });
});

describe("JSON bodies", () => {
  test("leaves are named by their path", () => {
    expect(json('{"a":{"b":[1,"x",{"c":null}]},"d":true}')).toBe("json.a.b.0=1;json.a.b.1=x;json.a.b.2.c=;json.d=true");
    expect(json('["a",["b"]]')).toBe("json.0=a;json.1.0=b");
    expect(json('"x"')).toBe("json=x");
    expect(json("{}")).toBe("");
  });
  test("escapes are decoded", () => {
    expect(json('{"a":"\\u003cscript\\u003e\\n\\ud83d\\ude00\\ud800"}')).toBe("json.a=<script>\n\xf0\x9f\x98\x80\xef\xbf\xbd");
  });
  test("what was read before an error is kept", () => {
    expect(json('{"a":"x",')).toBe("json.a=x!unexpected end");
    expect(json('{"a":1}}')).toBe("json.a=1!text after the end of the value");
    expect(json('{"a":01}').endsWith("!malformed number")).toBe(true);
    expect(json("[1,]").endsWith("!expected a value")).toBe(true);
    expect(json('{"a" 1}').endsWith("!expected a colon")).toBe(true);
    expect(json('["a\nb"]').endsWith("!control character in a string")).toBe(true);
    expect(json('["a').endsWith("!unterminated string")).toBe(true);
    expect(json("[}").endsWith("!expected a value")).toBe(true);
    expect(json("[1}").endsWith("!bracket that closes another kind")).toBe(true);
  });
  test("nesting has a limit", () => {
    expect(json("[[[1]]]", 2)).toBe("!nested too deep");
    expect(json("[[1]]", 2)).toBe("json.0.0=1");
  });
});

describe("XML bodies", () => {
  test("text and attributes", () => {
    expect(xml('<?xml version="1.0"?><a x="1"><b y=\'&lt;2\'>t&#65;</b><!-- c --><![CDATA[<d>]]></a>')).toBe("//@*=1;//@*=<2;/*=tA;/*=<d>");
    expect(xml("<a/>")).toBe("");
  });
  test("malformed documents", () => {
    expect(xml("<a><b></a>").endsWith("!end tag without its start tag")).toBe(true);
    expect(xml("<a>").endsWith("!element that is not closed")).toBe(true);
    expect(xml("</a>").endsWith("!end tag without its start tag")).toBe(true);
    expect(xml("<a b>").endsWith("!malformed attribute")).toBe(true);
    expect(xml("<a b=c>").endsWith("!attribute value without quotes")).toBe(true);
    expect(xml("x").endsWith("!text outside of elements")).toBe(true);
    expect(xml("<a/><b/>").endsWith("!more than one root element")).toBe(true);
    expect(xml("<a><!-- x").endsWith("!markup that is not closed")).toBe(true);
  });
  test("entities are not a way in", () => {
    expect(xml('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>')).toBe("!document type with an internal subset");
    expect(xml("<a>&e;</a>").endsWith("!reference to an entity that XML does not define")).toBe(true);
  });
});

/** All that rules can see of the last multipart body, but for what is in files. */
function seen(ok: bool): string {
  return (
    `${ok} ${show(lists.args)} | ${show(lists.files)} | ${show(lists.filesNames)} | ${show(lists.filesSizes)} | ${show(lists.filenames)} | ` +
    `${show(lists.names)} | ${show(lists.partHeaders)} | ${multipart.filesSize} | ${multipart.multipartError} | ${multipart.crlfLfLines} ` +
    `${multipart.dataAfter} ${multipart.dataBefore} ${multipart.headerFolding} ${multipart.invalidHeaderFolding} ${multipart.invalidPart} ` +
    `${multipart.invalidQuoting} ${multipart.lfLine} ${multipart.missingSemicolon} ${multipart.unmatchedBoundary}`
  );
}

/** Reads a body in pieces, leaving files out; gives how many bytes were kept. */
function trimmedParts(body: string, type: string): i32 {
  newLists();
  put(type);
  const typePtr = ptr;
  const typeLen = len;
  put(body);
  const trim = MultipartTrim.create(arena, typePtr, typeLen)!;
  let at = 0;
  while (at < len) {
    const n = min(len - at, 1 + random(random(3) ? 7 : 60));
    trim.feed(ptr + at, n, typePtr, typeLen);
    at += n;
  }
  trim.finish();
  lists.gaps = trim.gaps;
  trimmedOk = multipart.parseMultipart(arena, trim.ptr, trim.len, typePtr, typeLen, lists);
  return trim.len;
}
let trimmedOk: bool = false;

// A small linear congruential generator (Numerical Recipes): the same bodies each time.
let seed: u32 = 31337;
function random(below: i32): i32 {
  seed = seed * 1664525 + 1013904223;
  return <i32>((seed >> 8) % <u32>below);
}

const PIECES: string[] = [
  "--B\r\n",
  "--B\r\n",
  "--B\r\n",
  "--B\n",
  "--B--\r\n",
  "--B--",
  "--Bx\r\n",
  "--B \t\r\n",
  "--B",
  "--",
  "-",
  "\r\n",
  "\r\n",
  "\r\n",
  "\n",
  "\r",
  "\n\n",
  'Content-Disposition: form-data; name="a"; filename="f"\r\n\r\n',
  'Content-Disposition: form-data; name="a"; filename="f"\r\n\r\n',
  'Content-Disposition: form-data; name="b"\r\n\r\n',
  "Content-Disposition: form-data; name=c; filename*=UTF-8''x\n\n",
  "Content-Type: text/plain\r\n",
  " folded\r\n",
  "no colon\r\n",
  "data",
  "some more data of a file",
  "x",
  " ",
  "\x00\xff",
  "--b\r\n",
];

function randomBody(): string {
  let body = random(4) ? "--B\r\n" : "";
  const n = 2 + random(14);
  for (let i = 0; i < n; i++) body += PIECES[random(PIECES.length)];
  return body + (random(3) ? "\r\n--B--\r\n" : "");
}

describe("multipart bodies that come in pieces", () => {
  test("rules see the same, but for what is in files: random bodies in random pieces", () => {
    let wrong = "";
    for (let i = 0; i < 6000 && wrong == ""; i++) {
      const body = randomBody();
      const whole = seen(parts(body));
      trimmedParts(body, "multipart/form-data; boundary=B");
      const trimmed = seen(trimmedOk);
      if (trimmed != whole) wrong = `${body}\n=== whole\n${whole}\n=== in pieces\n${trimmed}`;
    }
    expect(wrong).toBe("");
  });

  test("a file is left out, however long, and its size is known", () => {
    const head = '--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n';
    const kept = trimmedParts(`${head}${"line of a file\r\n".repeat(1000)}\r\n--B--\r\n`, "multipart/form-data; boundary=B");
    expect(kept).toBe(head.length + 2 + 7);
    expect(show(lists.filesSizes)).toBe("f=16000");
    expect(trimmedOk).toBe(true);
  });
});

describe("multipart bodies", () => {
  test("fields and files", () => {
    expect(
      parts(
        '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B\r\nContent-Disposition: form-data; name="f"; filename="x.php"\r\nContent-Type: text/plain\r\n\r\n<?php\r\n--B--\r\n',
      ),
    ).toBe(true);
    expect(show(lists.args)).toBe("a=1");
    expect(show(lists.files)).toBe("f=x.php");
    expect(show(lists.filesSizes)).toBe("f=5");
    expect(show(lists.partHeaders)).toBe(
      'a=Content-Disposition: form-data; name="a";f=Content-Disposition: form-data; name="f"; filename="x.php";f=Content-Type: text/plain',
    );
    expect(multipart.strictError()).toBe(false);
    expect(multipart.filesSize).toBe(5);
  });
  test("both names of a file are shown", () => {
    parts("--B\r\nContent-Disposition: form-data; name=f; filename=\"a.txt\"; filename*=UTF-8''b%2ephp\r\n\r\nx\r\n--B--\r\n");
    expect(show(lists.files)).toBe("f=a.txt;f=b.php");
    parts('--B\r\nContent-Disposition: form-data; name="f"; filename="a.txt"; filename="b.php"\r\n\r\nx\r\n--B--\r\n');
    expect(show(lists.files)).toBe("f=b.php;f=a.txt");
    expect(multipart.strictError()).toBe(true);
  });
  test("what parsers disagree about is flagged", () => {
    parts("junk\r\n--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\n");
    expect(multipart.dataBefore).toBe(true);
    parts("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--\r\njunk");
    expect(multipart.dataAfter).toBe(true);
    parts("--B\nContent-Disposition: form-data; name=a\n\n1\n--B--\n");
    expect(multipart.lfLine).toBe(true);
    parts("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--Bx\r\n--B--\r\n");
    expect(multipart.unmatchedBoundary).toBe(true);
    parts("--B\r\nContent-Disposition: form-data; name=a\r\n folded\r\n\r\n1\r\n--B--\r\n");
    expect(multipart.headerFolding).toBe(true);
  });
  test("an unusable body says why, and what is there is still shown", () => {
    expect(parts("--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1")).toBe(false);
    expect(multipart.multipartError).toBe("last boundary is missing");
    expect(show(lists.args)).toBe("a=1");
    expect(parts("--B--", "multipart/form-data")).toBe(false);
    expect(multipart.multipartError).toBe("no boundary in the content type");
    expect(parts("--B--", "multipart/form-data; boundary=B; boundary=C")).toBe(false);
    expect(multipart.multipartError).toBe("more than one boundary in the content type");
    expect(parts("--X--")).toBe(false);
    expect(multipart.multipartError).toBe("boundary that does not occur in the body");
  });
});
