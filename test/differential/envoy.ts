/**
 * One Envoy with a listener for each set of policies. A call passes Envoy's RBAC filters first, which only note what
 * they would do (shadow rules), then Bailey's, which does it; the access log has both.
 */
import { readFileSync } from "node:fs";
import { MESH_TCP_WASM, MESH_WASM } from "../../cli/paths.ts";
import type { Identity } from "../certificates.ts";
import { METADATA } from "./cases.ts";
import { type AuthorizationPolicy, rbac } from "./rbac.ts";

const TYPE = "type.googleapis.com/";
const TRUST_DOMAINS = ["cluster.local"];

export interface PolicySet {
  policies: AuthorizationPolicy[];
  port: number;
  tcpPort: number;
}

export interface Setup {
  adminPort: number;
  sets: PolicySet[];
  echoPort: number;
  server: Identity;
  authority: string;
  /** JSON Web Key Set that tokens are verified with. */
  keys: string;
  httpLog: string;
  tcpLog: string;
}

/** pluginConfig for policies, each beside its name. */
export function pluginConfig(policies: AuthorizationPolicy[], rest: object = {}): string {
  return JSON.stringify({ ...rest, policies: policies.map(({ metadata, spec }) => ({ name: metadata.name, namespace: metadata.namespace, spec })) });
}

const typed = (name: string, type: string, config: object): object => ({ name, typed_config: { "@type": TYPE + type, ...config } });

function wasm(name: string, type: string, filename: string, configuration: string): object {
  return typed(name, type, {
    config: {
      name,
      root_id: name,
      vm_config: { vm_id: name, runtime: "envoy.wasm.runtime.v8", code: { local: { filename } } },
      configuration: { "@type": `${TYPE}google.protobuf.StringValue`, value: configuration },
    },
  });
}

/** Envoy's own filters for the policies, which decide nothing: their results are metadata with these prefixes. */
function shadows(policies: AuthorizationPolicy[], forTcp: boolean): object[] {
  return (["DENY", "ALLOW"] as const).flatMap((action) => {
    const rules = rbac(policies, action, { forTcp, trustDomains: TRUST_DOMAINS });
    if (!rules) return [];
    const prefix = `${action.toLowerCase()}_`;
    const config = { shadow_rules: rules, shadow_rules_stat_prefix: prefix };
    return forTcp
      ? typed("envoy.filters.network.rbac", "envoy.extensions.filters.network.rbac.v3.RBAC", { ...config, stat_prefix: prefix })
      : typed("envoy.filters.http.rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", config);
  });
}

const result = (kind: string, action: string): string => `%DYNAMIC_METADATA(envoy.filters.${kind}.rbac:${action}_shadow_engine_result)%`;

function accessLog(path: string, kind: string, head: string): object {
  const line = `${head} ${result(kind, "deny")} ${result(kind, "allow")}\n`;
  return typed("envoy.access_loggers.file", "envoy.extensions.access_loggers.file.v3.FileAccessLog", {
    path,
    log_format: { text_format_source: { inline_string: line } },
  });
}

const peerAddress = typed("envoy.filters.network.set_filter_state", "envoy.extensions.filters.network.set_filter_state.v3.Config", {
  on_new_connection: [
    {
      object_key: "bailey.peer_address",
      factory_key: "envoy.string",
      format_string: { text_format_source: { inline_string: "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%" } },
    },
  ],
});

function httpFilters(setup: Setup, policies: AuthorizationPolicy[]): object[] {
  return [
    peerAddress,
    typed("hcm", "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", {
      stat_prefix: "http",
      normalize_path: false,
      access_log: [accessLog(setup.httpLog, "http", "%REQ(X-CASE)% %RESPONSE_CODE%")],
      route_config: { virtual_hosts: [{ name: "all", domains: ["*"], routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }] }] },
      http_filters: [
        typed("envoy.filters.http.jwt_authn", "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", {
          providers: { any: { local_jwks: { inline_string: setup.keys }, payload_in_metadata: "payload" } },
          rules: [{ match: { prefix: "/" }, requires: { requires_any: { requirements: [{ provider_name: "any" }, { allow_missing: {} }] } } }],
        }),
        typed("envoy.filters.http.set_metadata", "envoy.extensions.filters.http.set_metadata.v3.Config", {
          metadata: [{ metadata_namespace: "envoy.filters.custom", value: METADATA }],
        }),
        ...shadows(policies, false),
        wasm("bailey.mesh", "envoy.extensions.filters.http.wasm.v3.Wasm", MESH_WASM, pluginConfig(policies, { events: { perSecond: 0 } })),
        typed("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", {}),
      ],
    }),
  ];
}

function tcpFilters(setup: Setup, policies: AuthorizationPolicy[]): object[] {
  return [
    peerAddress,
    ...shadows(policies, true),
    wasm("bailey.mesh-tcp", "envoy.extensions.filters.network.wasm.v3.Wasm", MESH_TCP_WASM, pluginConfig(policies, { events: { perSecond: 0 } })),
    typed("tcp_proxy", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
      stat_prefix: "tcp",
      cluster: "echo",
      access_log: [accessLog(setup.tcpLog, "network", "%DOWNSTREAM_LOCAL_PORT%/%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%")],
    }),
  ];
}

/** A listener for TLS, with or without a certificate of the peer, and for plaintext. */
function listener(setup: Setup, port: number, filters: object[]): object {
  const tls = typed("tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", {
    common_tls_context: {
      tls_certificates: [{ certificate_chain: { inline_string: setup.server.certificate }, private_key: { inline_string: setup.server.key } }],
      validation_context: { trusted_ca: { inline_string: setup.authority } },
    },
  });
  return {
    name: `listener-${port}`,
    address: { socket_address: { address: "0.0.0.0", port_value: port } },
    listener_filters: [typed("envoy.filters.listener.tls_inspector", "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", {})],
    filter_chains: [{ filter_chain_match: { transport_protocol: "tls" }, transport_socket: tls, filters }, { filters }],
  };
}

export function bootstrap(setup: Setup): object {
  return {
    node: { id: "differential", cluster: "differential" },
    admin: { address: { socket_address: { address: "127.0.0.1", port_value: setup.adminPort } } },
    static_resources: {
      listeners: setup.sets.flatMap(({ policies, port, tcpPort }) => [
        listener(setup, port, httpFilters(setup, policies)),
        listener(setup, tcpPort, tcpFilters(setup, policies)),
      ]),
      clusters: [
        {
          name: "echo",
          type: "STATIC",
          load_assignment: {
            cluster_name: "echo",
            endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: setup.echoPort } } } }] }],
          },
        },
      ],
    },
  };
}

/** Decisions of Envoy's filters by the first word of a line of the access log; the other words are given too. */
export function readLog(path: string): Map<string, { allowed: boolean; rest: string[] }> {
  const decisions = new Map<string, { allowed: boolean; rest: string[] }>();
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const words = line.split(" ");
    const [first = ""] = words;
    // a filter that is not there wrote `-`
    if (words.length >= 3) decisions.set(first, { allowed: !words.slice(-2).includes("denied"), rest: words.slice(1, -2) });
  }
  return decisions;
}
