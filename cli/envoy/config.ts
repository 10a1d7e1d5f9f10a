/** A bootstrap configuration for a local Envoy that has the filter in front of one upstream. */

export interface EnvoyOptions {
  /** Port to listen on, on 127.0.0.1. */
  port: number;
  adminPort: number;
  upstream: { host: string; port: number; tls?: boolean; http2?: boolean };
  /** Path of the filter; none for a bare Envoy. */
  wasm?: string | undefined;
  /** pluginConfig as JSON text. */
  config?: string;
  /** Whether headers wait for the body's verdict; true where nothing is said. */
  holdHeaders?: boolean;
  /** Upgrades that are passed on to the upstream, `CONNECT` among them; WebSockets where nothing is said. */
  upgrades?: string[];
  /** Whether requests with both Content-Length and Transfer-Encoding are accepted, the length being dropped. */
  chunkedLength?: boolean;
  failurePolicy?: "FAIL_CLOSED" | "FAIL_OPEN" | "FAIL_RELOAD";
  /** File that the listener is read from, for changes while Envoy runs. */
  listenerFile?: string;
}

const TYPE = "type.googleapis.com/";

/** The wasm filter, as in an HTTP connection manager's list of filters. */
function wasmFilter(options: EnvoyOptions): object[] {
  if (!options.wasm) return [];
  return [
    {
      name: "bailey.ngfw",
      typed_config: {
        "@type": `${TYPE}envoy.extensions.filters.http.wasm.v3.Wasm`,
        config: {
          name: "bailey.ngfw",
          root_id: "bailey.ngfw",
          failure_policy: options.failurePolicy ?? "FAIL_RELOAD",
          allow_on_headers_stop_iteration: options.holdHeaders ?? true,
          vm_config: { vm_id: "bailey.ngfw", runtime: "envoy.wasm.runtime.v8", code: { local: { filename: options.wasm } } },
          configuration: { "@type": `${TYPE}google.protobuf.StringValue`, value: options.config ?? "{}" },
        },
      },
    },
  ];
}

/** The listener: HTTP/1.0, HTTP/1.1 and cleartext HTTP/2. */
export function listener(options: EnvoyOptions): object {
  const upgrades = options.upgrades ?? ["websocket"];
  return {
    "@type": `${TYPE}envoy.config.listener.v3.Listener`,
    name: "ingress",
    address: { socket_address: { address: "127.0.0.1", port_value: options.port } },
    filter_chains: [
      {
        filters: [
          {
            name: "envoy.filters.network.http_connection_manager",
            typed_config: {
              "@type": `${TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
              stat_prefix: "ingress",
              codec_type: "AUTO",
              http_protocol_options: {
                accept_http_10: true,
                // what the filter takes for a missing Host, see assembly/filter/message.ts
                default_host_for_http_10: "missing-host.invalid",
                // unknown methods are the rules' to judge
                allow_custom_methods: true,
                ...(options.chunkedLength && { allow_chunked_length: true }),
              },
              upgrade_configs: upgrades.map((type) => ({ upgrade_type: type })),
              use_remote_address: true,
              route_config: {
                name: "all",
                virtual_hosts: [
                  {
                    name: "all",
                    domains: ["*"],
                    routes: [
                      ...(upgrades.includes("CONNECT") ? [{ match: { connect_matcher: {} }, route: { cluster: "upstream" } }] : []),
                      { match: { prefix: "/" }, route: { cluster: "upstream", timeout: "60s" } },
                    ],
                  },
                ],
              },
              http_filters: [
                ...wasmFilter(options),
                { name: "envoy.filters.http.router", typed_config: { "@type": `${TYPE}envoy.extensions.filters.http.router.v3.Router` } },
              ],
            },
          },
        ],
      },
    ],
  };
}

function cluster(upstream: EnvoyOptions["upstream"]): object {
  return {
    name: "upstream",
    type: "STRICT_DNS",
    connect_timeout: "5s",
    load_assignment: {
      cluster_name: "upstream",
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: upstream.host, port_value: upstream.port } } } }] }],
    },
    ...(upstream.http2 && {
      typed_extension_protocol_options: {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
          "@type": `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    }),
    ...(upstream.tls && {
      transport_socket: {
        name: "envoy.transport_sockets.tls",
        typed_config: { "@type": `${TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`, sni: upstream.host },
      },
    }),
  };
}

/** The whole bootstrap. With `listenerFile` the listener is left to that file. */
export function bootstrap(options: EnvoyOptions): object {
  const { "@type": _type, ...fixed } = listener(options) as Record<string, unknown>;
  return {
    node: { id: "bailey", cluster: "bailey" },
    // compiling the filter takes memory that it then does not need, and that the allocator keeps otherwise
    memory_allocator_manager: { bytes_to_release: 4194304, memory_release_interval: "1s" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: options.adminPort } } },
    ...(options.listenerFile && { dynamic_resources: { lds_config: { path_config_source: { path: options.listenerFile } } } }),
    static_resources: { ...(!options.listenerFile && { listeners: [fixed] }), clusters: [cluster(options.upstream)] },
  };
}
