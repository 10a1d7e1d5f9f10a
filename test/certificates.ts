/** Certificates for mutual TLS: an authority, and what it signs, with the names that a mesh gives its workloads. */
import { webcrypto } from "node:crypto";
// what the library below builds on
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A key and its certificate, as PEM. */
export interface Identity {
  key: string;
  certificate: string;
}

export class Authority {
  private readonly keys: CryptoKeyPair;
  private readonly own: x509.X509Certificate;

  private constructor(keys: CryptoKeyPair, own: x509.X509Certificate) {
    this.keys = keys;
    this.own = own;
  }

  static async create(): Promise<Authority> {
    x509.cryptoProvider.set(webcrypto as Crypto);
    const keys = await generate();
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: "01",
      name: "CN=test authority",
      ...validity(),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.BasicConstraintsExtension(true, 1, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true)],
    });
    return new Authority(keys, own);
  }

  get certificate(): string {
    return this.own.toString("pem");
  }

  /** Signs a certificate with these names, as in `{ type: "url", value: "spiffe://..." }`, and no subject. */
  async sign(names: { type: "url" | "dns" | "ip"; value: string }[]): Promise<Identity> {
    const keys = await generate();
    const certificate = await x509.X509CertificateGenerator.create({
      issuer: this.own.subject,
      ...validity(),
      signingKey: this.keys.privateKey,
      publicKey: keys.publicKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.SubjectAlternativeNameExtension(names, true)],
    });
    const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
    return { key: x509.PemConverter.encode(key, "PRIVATE KEY"), certificate: certificate.toString("pem") };
  }
}

function generate(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 86_400_000) };
}
