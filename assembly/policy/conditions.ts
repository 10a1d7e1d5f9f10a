/** Makes conditions from lists of values, and puts them in their clause where they cost least. */
import { make } from "../bytes/arena";
import { Buffer } from "../bytes/buffer";
import { JsonNode } from "../config/json";
import { A_NAMESPACE, A_PRINCIPAL, A_SERVICE_ACCOUNT, Clause, Condition, FIRST_OF_BODY } from "./model";
import { Reading, readValues } from "./values";

/** The condition that `addCondition` made. */
export let conditionAdded: Condition = changetype<Condition>(0);

/** Makes a condition and adds it to the clause. `values` and `notValues` are checked to be lists of texts. */
export function addCondition(
  reading: Reading,
  clause: Clause,
  node: JsonNode,
  attribute: i32,
  values: JsonNode | null,
  notValues: JsonNode | null,
  field: Buffer,
): bool {
  const condition = make<Condition>(reading.arena);
  conditionAdded = condition;
  condition.attribute = attribute;
  condition.node = node;
  condition.field = reading.arena.copy(field.ptr, field.len);
  condition.fieldLen = field.len;
  if (values) {
    const set = readValues(reading, values, attribute);
    if (!set) return false;
    condition.values = set;
  }
  if (notValues) {
    const set = readValues(reading, notValues, attribute);
    if (!set) return false;
    condition.notValues = set;
  }
  insert(clause, condition);
  return true;
}

/** What stands in the body is asked last: waiting for it costs more than everything else. */
function insert(clause: Clause, condition: Condition): void {
  const last = clause.last;
  if (condition.attribute >= FIRST_OF_BODY || !last || last.attribute < FIRST_OF_BODY) {
    clause.add(condition);
    return;
  }
  let previous: Condition | null = null;
  let at = clause.first;
  while (at && at.attribute < FIRST_OF_BODY) {
    previous = at;
    at = at.next;
  }
  condition.next = at;
  if (previous) previous.next = condition;
  else clause.first = condition;
}

/** True if a source names service accounts and also principals or namespaces, which Istio does not allow. */
export function isExcludedWithAccounts(clause: Clause): bool {
  let accounts = false;
  let others = false;
  for (let condition: Condition | null = clause.first; condition; condition = condition!.next) {
    if (condition.attribute == A_SERVICE_ACCOUNT) accounts = true;
    if (condition.attribute == A_PRINCIPAL || condition.attribute == A_NAMESPACE) others = true;
  }
  return accounts && others;
}
