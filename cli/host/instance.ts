/**
 * A proxy-wasm host in Node, for the same wasm that Envoy loads: `explain`, `lint` and tests use it. It
 * implements the calls in assembly/host/imports.ts as Envoy does, over one stream at a time.
 */

/** What the filter sees and does; callers set the first part and read the second. */
export class HostState {
  /** Header maps by number: request, request trailers, response, response trailers. */
  maps = new Map<number, [Buffer, Buffer][]>();
  /** Buffers by number: request body, response body, plugin configuration. */
  buffers = new Map<number, Buffer>();
  properties = new Map<string, Buffer>();
  /** Properties that the host fails to give, and header maps, as in `map.0`. */
  failing = new Set<string>();
  /** Nanoseconds since 1970. */
  time = 1_700_000_000_000_000_000n;

  logs: { level: number; message: string }[] = [];
  reply: { status: number; details: string; body: Buffer; headers: [Buffer, Buffer][] } | undefined;
  closed = false;
  metrics = new Map<number, { name: string; value: number }>();
  /** Host calls made, for tests that count them. */
  calls = 0;

  /** Headers of the request as they go on. */
  get forwarded(): [string, string][] {
    return (this.maps.get(0) ?? []).map(([name, value]) => [name.toString(), value.toString("latin1")]);
  }
}

export interface Filter {
  memory: WebAssembly.Memory;
  proxy_on_memory_allocate(size: number): number;
  proxy_on_context_create(context: number, parent: number): void;
  proxy_on_vm_start(root: number, size: number): number;
  proxy_on_configure(root: number, size: number): number;
  proxy_on_request_headers(context: number, count: number, end: number): number;
  proxy_on_request_body(context: number, size: number, end: number): number;
  /** The callbacks below are not in every filter. */
  proxy_on_request_trailers(context: number, count: number): number;
  proxy_on_response_headers(context: number, count: number, end: number): number;
  proxy_on_response_body(context: number, size: number, end: number): number;
  proxy_on_response_trailers(context: number, count: number): number;
  proxy_on_log(context: number): void;
  proxy_on_downstream_data(context: number, size: number, end: number): number;
  proxy_on_delete(context: number): void;
  _initialize(): void;
}

const OK = 0;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const INTERNAL_FAILURE = 10;

/** Encodes a header map as the ABI has it. */
export function encodePairs(pairs: [Buffer, Buffer][]): Buffer {
  if (pairs.length === 0) return Buffer.alloc(0);
  const head = Buffer.alloc(4 + pairs.length * 8);
  head.writeUInt32LE(pairs.length, 0);
  const parts: Buffer[] = [head];
  pairs.forEach(([name, value], i) => {
    head.writeUInt32LE(name.length, 4 + i * 8);
    head.writeUInt32LE(value.length, 8 + i * 8);
    parts.push(name, Buffer.alloc(1), value, Buffer.alloc(1));
  });
  return Buffer.concat(parts);
}

/** Decodes a header map. */
export function decodePairs(bytes: Buffer): [Buffer, Buffer][] {
  const pairs: [Buffer, Buffer][] = [];
  if (bytes.length < 4) return pairs;
  const count = bytes.readUInt32LE(0);
  let at = 4 + count * 8;
  for (let i = 0; i < count; i++) {
    const nameLength = bytes.readUInt32LE(4 + i * 8);
    const valueLength = bytes.readUInt32LE(8 + i * 8);
    pairs.push([Buffer.from(bytes.subarray(at, at + nameLength)), Buffer.from(bytes.subarray(at + nameLength + 1, at + nameLength + 1 + valueLength))]);
    at += nameLength + valueLength + 2;
  }
  return pairs;
}

/** Loads a filter and runs its static initialization. */
export async function instantiate(wasm: Uint8Array): Promise<{ instance: WebAssembly.Instance; filter: Filter; state: HostState }> {
  const state = new HostState();
  let filter: Filter;
  const bytes = (ptr: number, length: number): Buffer => Buffer.from(filter.memory.buffer, ptr, length);
  const give = (data: Buffer, outData: number, outLength: number): number => {
    const ptr = data.length === 0 ? 0 : filter.proxy_on_memory_allocate(data.length);
    bytes(ptr, data.length).set(data);
    const view = new DataView(filter.memory.buffer);
    view.setUint32(outData, ptr, true);
    view.setUint32(outLength, data.length, true);
    return OK;
  };
  const env = {
    proxy_log(level: number, ptr: number, length: number): number {
      state.logs.push({ level, message: bytes(ptr, length).toString() });
      return OK;
    },
    proxy_get_current_time_nanoseconds(out: number): number {
      new DataView(filter.memory.buffer).setBigUint64(out, state.time, true);
      return OK;
    },
    proxy_get_header_map_pairs(map: number, outData: number, outLength: number): number {
      if (state.failing.has(`map.${map}`)) return INTERNAL_FAILURE;
      return give(encodePairs(state.maps.get(map) ?? []), outData, outLength);
    },
    proxy_add_header_map_value(map: number, name: number, nameLength: number, value: number, valueLength: number): number {
      const pairs = state.maps.get(map);
      if (!pairs) return BAD_ARGUMENT;
      pairs.push([Buffer.from(bytes(name, nameLength)), Buffer.from(bytes(value, valueLength))]);
      return OK;
    },
    proxy_remove_header_map_value(map: number, name: number, length: number): number {
      const pairs = state.maps.get(map);
      if (!pairs) return BAD_ARGUMENT;
      const removed = Buffer.from(bytes(name, length));
      state.maps.set(
        map,
        pairs.filter(([other]) => !other.equals(removed)),
      );
      return OK;
    },
    proxy_get_buffer_bytes(buffer: number, offset: number, length: number, outData: number, outLength: number): number {
      const data = state.buffers.get(buffer);
      if (!data) return NOT_FOUND;
      if (offset > data.length) return BAD_ARGUMENT;
      return give(data.subarray(offset, Math.min(offset + length, data.length)), outData, outLength);
    },
    proxy_get_property(path: number, length: number, outData: number, outLength: number): number {
      const name = bytes(path, length).toString().replaceAll("\0", ".");
      if (state.failing.has(name)) return INTERNAL_FAILURE;
      const data = state.properties.get(name);
      return data ? give(data, outData, outLength) : NOT_FOUND;
    },
    proxy_send_local_response(
      status: number,
      details: number,
      detailsLength: number,
      body: number,
      bodyLength: number,
      headers: number,
      headersLength: number,
    ): number {
      state.reply = {
        status,
        details: bytes(details, detailsLength).toString(),
        body: Buffer.from(bytes(body, bodyLength)),
        headers: decodePairs(Buffer.from(bytes(headers, headersLength))),
      };
      return OK;
    },
    proxy_close_stream(): number {
      state.closed = true;
      return OK;
    },
    proxy_define_metric(_kind: number, name: number, length: number, out: number): number {
      const id = state.metrics.size + 1;
      state.metrics.set(id, { name: bytes(name, length).toString(), value: 0 });
      new DataView(filter.memory.buffer).setUint32(out, id, true);
      return OK;
    },
    proxy_increment_metric(id: number, delta: bigint): number {
      const metric = state.metrics.get(id);
      if (!metric || delta <= 0n) return BAD_ARGUMENT;
      metric.value += Number(delta);
      return OK;
    },
    proxy_record_metric(id: number): number {
      return state.metrics.has(id) ? OK : NOT_FOUND;
    },
  };
  const counted = Object.fromEntries(
    Object.entries(env).map(([name, call]) => [
      name,
      (...args: never[]): number => {
        state.calls++;
        return (call as (...args: never[]) => number)(...args);
      },
    ]),
  );
  const module = await WebAssembly.compile(wasm as Uint8Array<ArrayBuffer>);
  const instance = await WebAssembly.instantiate(module, { env: counted });
  filter = instance.exports as unknown as Filter;
  filter._initialize();
  return { instance, filter, state };
}
