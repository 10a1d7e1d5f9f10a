/** The one layer of an image: what istio-agent looks for, `plugin.wasm`, and what says where it comes from. */
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

/** Makes a gzipped tar of files, by name. The same files give the same bytes. */
export async function layerOf(files: { [name: string]: Buffer }): Promise<Buffer> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, content);
  tar.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of tar) pieces.push(piece as Buffer);
  const zipped = gzipSync(Buffer.concat(pieces), { level: 9 });
  // the byte that names the system on which it was zipped
  zipped[9] = 0xff;
  return zipped;
}
