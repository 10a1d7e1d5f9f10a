/** What is measured: requests as users send them, and the answer that the upstream gives. */

export interface Work {
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** Ten headers as a browser sends them. */
const BROWSER: Record<string, string> = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Language": "en-US,en;q=0.5",
  "Accept-Encoding": "gzip, deflate, br",
  Referer: "https://shop.example.com/products",
  Cookie: "session=abcdef0123456789; theme=dark",
  "Upgrade-Insecure-Requests": "1",
  "Sec-Fetch-Mode": "navigate",
  "Cache-Control": "max-age=0",
  Host: "shop.example.com",
};

const SENTENCE = "ordinary text of some length, nothing special here. ";

function post(name: string, type: string, body: string): Work {
  return { name, method: "POST", path: "/post", headers: { ...BROWSER, "Content-Type": type }, body };
}

export const GET: Work = { name: "get", method: "GET", path: "/products/list?page=2&sort=price", headers: BROWSER };

/** Many short values: what costs most for its size among requests that are nothing special. */
export const HEAVY: Work = post(
  "json-10k-450",
  "application/json",
  JSON.stringify(Array.from({ length: 225 }, (_, i) => ({ id: 100000 + i, v: `some value ${i} of a row` }))),
);

export const WORKS: Work[] = [
  GET,
  post(
    "form-1k",
    "application/x-www-form-urlencoded",
    `name=John+Doe&email=john%40example.com&comment=${"This+is+an+ordinary+comment+about+a+product+that+I+liked.+".repeat(16)}`,
  ),
  post(
    "json-10k-20",
    "application/json",
    JSON.stringify(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`field${i}`, SENTENCE.repeat(10).slice(0, 500)]))),
  ),
  HEAVY,
  post(
    // the most that Envoy holds with its default limit of 1 MiB a connection
    "multipart-900k",
    "multipart/form-data; boundary=B",
    `--B\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\nContent-Type: application/octet-stream\r\n\r\n${"x".repeat(900_000)}\r\n--B--\r\n`,
  ),
  { name: "html-10k", method: "GET", path: "/html", headers: BROWSER },
];

/** The page that the upstream answers to /html. */
export const PAGE = `<html><body>${"<p>Some ordinary paragraph of text in a page.</p>".repeat(208)}</body></html>`;
