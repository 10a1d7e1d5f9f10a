/**
 * What belongs to each context of the host: a table from context id to an address. Ids come from the host,
 * in sequence, so their low bits spread well.
 */

/** Stands for a deleted entry, so that look-ups go on past it. */
const GONE: u32 = 0xffffffff;

let slots: usize = 0;
let capacity: u32 = 0;
/** Entries in use, deleted ones included. */
let used: u32 = 0;
let alive: u32 = 0;

function slotOf(id: u32): usize {
  let i = id & (capacity - 1);
  while (true) {
    const at = slots + ((<usize>i) << 3);
    const key = load<u32>(at);
    if (key == id || key == 0) return at;
    i = (i + 1) & (capacity - 1);
  }
}

/** Sets what belongs to a context; ids start at 1. */
export function putContext(id: u32, value: usize): void {
  if ((used + 1) * 2 > capacity) rebuild();
  const at = slotOf(id);
  if (load<u32>(at) == 0) {
    used++;
    alive++;
  }
  store<u32>(at, id);
  store<u32>(at, <u32>value, 4);
}

/** Gives what belongs to a context, 0 if nothing. */
export function getContext(id: u32): usize {
  if (capacity == 0) return 0;
  const at = slotOf(id);
  return load<u32>(at) == id ? <usize>load<u32>(at, 4) : 0;
}

/** Forgets a context. */
export function dropContext(id: u32): void {
  if (capacity == 0) return;
  const at = slotOf(id);
  if (load<u32>(at) != id) return;
  store<u32>(at, GONE);
  alive--;
}

/** Makes room: twice as much as is alive, so the table also shrinks, and deleted entries go. */
function rebuild(): void {
  const old = slots;
  const oldCapacity = capacity;
  capacity = 64;
  while (capacity < (alive + 1) * 4) capacity <<= 1;
  slots = heap.alloc((<usize>capacity) << 3);
  memory.fill(slots, 0, (<usize>capacity) << 3);
  used = 0;
  alive = 0;
  for (let i: u32 = 0; i < oldCapacity; i++) {
    const at = old + ((<usize>i) << 3);
    const key = load<u32>(at);
    if (key == 0 || key == GONE) continue;
    const to = slotOf(key);
    store<u32>(to, key);
    store<u32>(to, load<u32>(at, 4), 4);
    used++;
    alive++;
  }
  if (old != 0) heap.free(old);
}
