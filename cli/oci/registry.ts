/** Images in a registry, through crane: it has the credentials that docker and its like keep. */
import { UserError } from "../errors.ts";
import { withTemporaryFile } from "../files.ts";
import { lastLine, run } from "../process.ts";

/** Publishes an image of one layer. Gives its digest in hexadecimal digits. `insecure`: the registry has no TLS. */
export function pushLayer(crane: string, image: string, layer: Buffer, insecure: boolean): Promise<string> {
  return withTemporaryFile("layer.tar.gz", layer, async (file) => {
    const result = await run(crane, ["append", "--oci-empty-base", "--new_layer", file, "--new_tag", image, ...(insecure ? ["--insecure"] : [])]);
    const digest = /@sha256:([0-9a-f]{64})/.exec(result.stdout)?.[1];
    if (result.code !== 0 || digest === undefined) throw new UserError(`${image} cannot be pushed; crane says: ${lastLine(result)}`);
    return digest;
  });
}
