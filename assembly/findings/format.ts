/**
 * What the gateway tells the mesh about a request: one header, a dictionary of structured fields (RFC 9651), which people
 * can read in a log and any library can parse.
 *
 *   x-bailey-edge: inspected=full, score=3, threshold=5, rules=(920350), client="192.0.2.7", user=%"https://id.example/ann"
 *
 * | key         | what it is                                                                                      |
 * | ----------- | ----------------------------------------------------------------------------------------------- |
 * | `inspected` | `full`; `partial`, not past a limit; `headers`, no body; `no`, the firewall did not look         |
 * | `score`     | the inbound anomaly score, of paranoia levels that count                                         |
 * | `threshold` | the score from which the gateway blocks, if it enforces                                          |
 * | `rules`     | ids of rules that matched, in the order in which they did                                        |
 * | `more`      | there were more rules than are listed                                                            |
 * | `client`    | the client's address, as the gateway sees it                                                     |
 * | `user`      | issuer and subject of the token that the gateway verified                                        |
 *
 * Keys that a reader does not know are passed over, so gateways and sidecars of different versions understand each other.
 * The header says nothing by itself: a sidecar believes it only from the identity of a gateway.
 */

/** `x-bailey-edge`, and its length. */
export const FINDINGS_HEADER: usize = memory.data<u8>([0x78, 0x2d, 0x62, 0x61, 0x69, 0x6c, 0x65, 0x79, 0x2d, 0x65, 0x64, 0x67, 0x65]);
export const FINDINGS_HEADER_LEN: i32 = 13;

/** The same for comparisons with names of headers. */
export const FINDINGS_NAME: string = "x-bailey-edge";

// How much of a request was looked at.
export const INSPECTED_NO: i32 = 0;
export const INSPECTED_HEADERS: i32 = 1;
export const INSPECTED_PARTIAL: i32 = 2;
export const INSPECTED_FULL: i32 = 3;

/** Rules that are listed. */
export const MAX_FINDINGS_RULES: i32 = 64;
/** Bytes of a user's name; one that is longer is left out, since a part of it may be somebody else's. */
export const MAX_FINDINGS_USER: i32 = 512;
/** Bytes of the header's value that are read: what is written is shorter, three bytes for each of a user included. */
export const MAX_FINDINGS: i32 = 4096;
