/** Which policies apply to a workload: Istio's rules (istio.io/istio, pilot/pkg/model/policyattachment.go). */
import { type AuthorizationPolicy, type Labels, namespaceOf, type TargetRef, type Workload } from "./model.ts";

/** Label of the workloads that run a Gateway of the Gateway API. */
export const GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name";
const GATEWAY_GROUP = "gateway.networking.k8s.io";
const WAYPOINT_CLASS = "istio-waypoint";
/** Namespace whose policies apply to all others, unless the mesh's configuration names another one. */
export const ROOT_NAMESPACE = "istio-system";

/** Gives the policies that apply to a workload, those of the root namespace first, as Istio has them. */
export function policiesOf(workload: Workload, policies: AuthorizationPolicy[], rootNamespace = ROOT_NAMESPACE): AuthorizationPolicy[] {
  const namespaces = [...new Set([rootNamespace, workload.namespace])];
  return namespaces.flatMap((namespace) => policies.filter((policy) => namespaceOf(policy) === namespace && applies(policy, workload, rootNamespace)));
}

function applies(policy: AuthorizationPolicy, workload: Workload, rootNamespace: string): boolean {
  const { targetRef, targetRefs } = policy.spec ?? {};
  const targets = targetRefs?.length ? targetRefs : targetRef ? [targetRef] : [];
  const gateway = workload.labels[GATEWAY_LABEL];
  if (gateway === undefined) return targets.length === 0 && isSelected(policy, workload.labels);
  const isWaypoint = workload.services !== undefined;
  if (targets.length === 0) return !isWaypoint && isSelected(policy, workload.labels);
  return targets.some((target) => attaches(target, policy, workload, gateway, rootNamespace));
}

function attaches(target: TargetRef, policy: AuthorizationPolicy, workload: Workload, gateway: string, rootNamespace: string): boolean {
  const namespace = namespaceOf(policy);
  const services = workload.services;
  const isInside = namespace === workload.namespace && (target.namespace ?? namespace) === namespace;
  if (services && target.kind === "GatewayClass" && target.group === GATEWAY_GROUP) return namespace === rootNamespace && target.name === WAYPOINT_CLASS;
  if (!isInside || target.name === undefined) return false;
  if (services && target.kind === "Service" && (target.group ?? "") === "") return services.includes(target.name);
  if (services && target.kind === "ServiceEntry" && target.group === "networking.istio.io") return services.includes(target.name);
  return target.kind === "Gateway" && target.group === GATEWAY_GROUP && target.name === gateway;
}

/** True if the labels are those that a selector wants; one that wants none takes all. */
export function hasLabels(labels: Labels, wanted: Labels = {}): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

function isSelected(policy: AuthorizationPolicy, labels: Labels): boolean {
  return hasLabels(labels, policy.spec?.selector?.matchLabels);
}

/** Workloads that the same policies apply to. */
export interface Group {
  workloads: Workload[];
  policies: AuthorizationPolicy[];
}

/** Puts workloads together that the same policies apply to. */
export function groupsOf(workloads: Workload[], policies: AuthorizationPolicy[], rootNamespace = ROOT_NAMESPACE): Group[] {
  const groups = new Map<string, Group>();
  for (const workload of workloads) {
    const own = policiesOf(workload, policies, rootNamespace);
    const key = [workload.namespace, ...own.map((policy) => policies.indexOf(policy))].join();
    const group = groups.get(key) ?? { workloads: [], policies: own };
    group.workloads.push(workload);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/**
 * Stands in for workloads that are not known: in each namespace one that has the labels of each selector and no others,
 * and one without labels.
 */
export function workloadsOfSelectors(policies: AuthorizationPolicy[], rootNamespace = ROOT_NAMESPACE): Workload[] {
  const own = policies.map(namespaceOf).filter((namespace) => namespace !== rootNamespace);
  const namespaces = [...new Set(own.length > 0 ? own : policies.map(namespaceOf))];
  return namespaces.flatMap((namespace) => {
    const selectors = policies
      .filter((policy) => [namespace, rootNamespace].includes(namespaceOf(policy)))
      .map((policy) => policy.spec?.selector?.matchLabels ?? {});
    const distinct = new Map(selectors.map((labels) => [JSON.stringify(Object.entries(labels).sort()), labels]));
    distinct.set("[]", {});
    return [...distinct.values()].map((labels) => ({ namespace, labels }));
  });
}

/** True if one workload can have all of the policies: one namespace beside the root's, labels that agree, the same targets. */
export function areForOneWorkload(policies: AuthorizationPolicy[], rootNamespace = ROOT_NAMESPACE): boolean {
  const namespaces = new Set(policies.map(namespaceOf).filter((namespace) => namespace !== rootNamespace));
  const targets = new Set(policies.map(({ spec }) => JSON.stringify([spec?.targetRef, spec?.targetRefs])));
  const labels = new Map<string, string>();
  for (const { spec } of policies) {
    for (const [name, value] of Object.entries(spec?.selector?.matchLabels ?? {})) {
      if ((labels.get(name) ?? value) !== value) return false;
      labels.set(name, value);
    }
  }
  return namespaces.size <= 1 && targets.size <= 1;
}
