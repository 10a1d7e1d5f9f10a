/**
 * The host calls of proxy-wasm ABI 0.2.1 that Bailey uses (github.com/proxy-wasm/spec, abi-versions/v0.2.1):
 * this is the list to allow in Envoy's `capability_restriction_config`. Addresses are 32-bit; results go
 * to the addresses named `out...`; each gives a status, see abi.ts.
 */

@external("env", "proxy_log")
export declare function proxy_log(level: i32, message: usize, length: i32): i32;

@external("env", "proxy_get_current_time_nanoseconds")
export declare function proxy_get_current_time_nanoseconds(outTime: usize): i32;

@external("env", "proxy_get_header_map_pairs")
export declare function proxy_get_header_map_pairs(map: i32, outData: usize, outLength: usize): i32;

@external("env", "proxy_add_header_map_value")
export declare function proxy_add_header_map_value(map: i32, name: usize, nameLength: i32, value: usize, valueLength: i32): i32;

@external("env", "proxy_remove_header_map_value")
export declare function proxy_remove_header_map_value(map: i32, name: usize, nameLength: i32): i32;

@external("env", "proxy_get_buffer_bytes")
export declare function proxy_get_buffer_bytes(buffer: i32, offset: i32, length: i32, outData: usize, outLength: usize): i32;

@external("env", "proxy_get_property")
export declare function proxy_get_property(path: usize, length: i32, outData: usize, outLength: usize): i32;

@external("env", "proxy_send_local_response")
export declare function proxy_send_local_response(status: i32, details: usize, detailsLength: i32, body: usize, bodyLength: i32, headers: usize, headersLength: i32, grpcStatus: i32): i32;

@external("env", "proxy_close_stream")
export declare function proxy_close_stream(stream: i32): i32;

@external("env", "proxy_define_metric")
export declare function proxy_define_metric(kind: i32, name: usize, length: i32, outId: usize): i32;

@external("env", "proxy_increment_metric")
export declare function proxy_increment_metric(id: i32, delta: i64): i32;

@external("env", "proxy_record_metric")
export declare function proxy_record_metric(id: i32, value: i64): i32;
