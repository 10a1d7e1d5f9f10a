/** An ordered list of rules and markers, as a profile has it. It belongs to the arena it was made in. */
import { Arena, make } from "../bytes/arena";
import { Rule } from "./model";

@unmanaged
export class RuleList {
  /** Addresses of rules. */
  items: usize;
  count: i32;
  capacity: i32;
  /** Rules before this index belong to another list too and must not be changed in place. */
  shared: i32;

  static create(arena: Arena): RuleList {
    return make<RuleList>(arena);
  }

  at(i: i32): Rule {
    return changetype<Rule>(load<u32>(this.items + ((<usize>i) << 2)));
  }

  put(i: i32, rule: Rule): void {
    store<u32>(this.items + ((<usize>i) << 2), changetype<u32>(rule));
  }

  add(arena: Arena, rule: Rule): void {
    if (this.count == this.capacity) {
      const capacity = max(64, this.capacity * 2);
      const items = arena.reserve((<usize>capacity) << 2);
      memory.copy(items, this.items, (<usize>this.count) << 2);
      this.items = items;
      this.capacity = capacity;
    }
    this.put(this.count++, rule);
  }

  /** Appends all rules of another list, shared from then on. */
  addAll(arena: Arena, other: RuleList): void {
    for (let i = 0; i < other.count; i++) this.add(arena, other.at(i));
    this.shared = this.count;
  }

  remove(i: i32): void {
    const at = this.items + ((<usize>i) << 2);
    memory.copy(at, at + 4, (<usize>(this.count - i - 1)) << 2);
    this.count--;
    if (i < this.shared) this.shared--;
  }
}
