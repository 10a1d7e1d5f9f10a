/** What is kept of an HTTP stream from one callback of the host to the next. */
import { Arena, make } from "../bytes/arena";
import { Configuration, Profile } from "../config/profile";
import { MultipartTrim } from "../decode/body/multiparttrim";
import { Transaction } from "../seclang/transaction";
import { EventFacts } from "./event";
import { GrpcFrames } from "./grpc";

/** One stream of so many is timed, a power of two: asking the host for the time costs as much as ten rules. */
const TIMED_OF: u32 = 16;
let created: u32 = 0;

@unmanaged
export class Stream {
  arena: Arena;
  configuration: Configuration;
  /** Null while the stream is not inspected. */
  tx: Transaction | null;
  profile: Profile;
  facts: EventFacts;
  /** True once Bailey answered: what the host then shows is its own reply. */
  replied: bool;
  /** Whether request and response bodies are collected. */
  collectsRequest: bool;
  collectsResponse: bool;
  /** Whether the host let a body callback happen though a body was announced. */
  announcesBody: bool;
  sawBody: bool;
  /** True if the request's body is compressed: rules see it as it is. */
  isEncoded: bool;
  /** Takes a multipart body as it comes; null for bodies that are read as a whole. */
  trim: MultipartTrim | null;
  /** Bytes of the request's body that it has taken. */
  trimmed: i32;
  /** Content type of the request, for its body. */
  type: usize;
  typeLen: i32;
  /** Nanoseconds spent on inspection, if the stream is `timed`. */
  spent: i64;
  timed: bool;
  /** Messages of a gRPC request; null for other requests. */
  frames: GrpcFrames | null;
  /** True once an event was written. */
  reported: bool;
  /** True once the mesh was told what was found, as far as the configuration says so. */
  told: bool;

  static create(configuration: Configuration): Stream {
    const arena = Arena.create(<usize>configuration.globals.streamBytes);
    const stream = make<Stream>(arena);
    stream.arena = arena;
    stream.configuration = configuration;
    stream.facts = make<EventFacts>(arena);
    stream.timed = (created++ & (TIMED_OF - 1)) == 0;
    configuration.streams++;
    return stream;
  }

  /** Frees the stream; it must not be used after that. */
  destroy(): void {
    const configuration = this.configuration;
    this.arena.destroy();
    configuration.leave();
  }
}
