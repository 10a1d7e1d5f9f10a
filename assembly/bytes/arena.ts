/**
 * Bump allocation with one release for all.
 *
 * Everything Bailey keeps is in one of three places: a program arena (compiled rules, freed when the
 * configuration is replaced), a stream arena (one request, freed in `proxy_on_delete`), or the scratch
 * arena (one compilation, freed when it ends). Nothing is handed back piece by piece and nothing is
 * traced by a collector. Blocks come from `heap`, which is not managed.
 *
 * An arena never fails an allocation, because a caller on the request path could do nothing sensible
 * with a null pointer. Instead it raises `exceeded` once it holds more than `cap` bytes, and the
 * engine, which looks at that flag between arguments, rules and transformations, decides what the
 * configuration says. What one step can allocate beyond the cap is bounded by the body limits.
 */

/** Bytes of a regular block, its header included. */
const BLOCK_BYTES: usize = 32 * 1024;
/** Bytes at the head of a block: address of the previous block, its size. */
const BLOCK_HEADER: usize = 16;

/** Bytes held by all arenas of this VM, for the VM-wide cap and the memory gauge. */
let heldBytes: usize = 0;

/** Gives the bytes held by all arenas of this VM. */
export function bytesHeld(): usize {
  return heldBytes;
}

@unmanaged
export class Arena {
  /** Newest block, 0 while empty. */
  block: usize;
  /** Next free byte of the newest block. */
  cursor: usize;
  /** End of the newest block. */
  end: usize;
  /** Bytes of all blocks. */
  held: usize;
  /** Bytes past which `exceeded` is raised; 0 for no cap. */
  cap: usize;
  /** True once more than `cap` bytes were asked for. */
  exceeded: bool;
  /** True to clear blocks before they are freed, so that a frozen filter does not carry them. */
  scrubs: bool;

  /** Makes an arena that raises `exceeded` past `cap` bytes (0: never). */
  static create(cap: usize): Arena {
    const arena = changetype<Arena>(heap.alloc(offsetof<Arena>()));
    memory.fill(changetype<usize>(arena), 0, offsetof<Arena>());
    arena.cap = cap;
    return arena;
  }

  /** Gives `size` zeroed bytes, 8-byte aligned, valid until `release`. */
  alloc(size: usize): usize {
    const at = this.reserve(size);
    memory.fill(at, 0, size);
    return at;
  }

  /** Gives `size` bytes of unknown content, 8-byte aligned, valid until `release`. */
  reserve(size: usize): usize {
    const at = (this.cursor + 7) & ~7;
    if (this.block == 0 || at + size > this.end) return this.grow(size);
    this.cursor = at + size;
    return at;
  }

  /** Gives back the tail of the newest reservation: the next one starts at `at`. */
  trim(at: usize): void {
    if (at >= this.block && at <= this.cursor) this.cursor = at;
  }

  /** Copies `len` bytes at `ptr` into the arena and gives their new address. */
  copy(ptr: usize, len: i32): usize {
    const at = this.reserve(<usize>len);
    memory.copy(at, ptr, <usize>len);
    return at;
  }

  /** Frees all blocks; the arena can be used again. */
  release(): void {
    let block = this.block;
    while (block != 0) {
      const previous = load<usize>(block);
      if (this.scrubs) memory.fill(block, 0, load<usize>(block, 8));
      heap.free(block);
      block = previous;
    }
    heldBytes -= this.held;
    this.block = 0;
    this.cursor = 0;
    this.end = 0;
    this.held = 0;
    this.exceeded = false;
  }

  /** Frees all blocks but one of regular size, for an arena that is used again at once. */
  reset(): void {
    if (this.block == 0 || load<usize>(this.block) != 0 || this.end - this.block != BLOCK_BYTES) {
      this.release();
      return;
    }
    this.cursor = this.block + BLOCK_HEADER;
    this.exceeded = false;
  }

  /** Frees all blocks and the arena itself. */
  destroy(): void {
    this.release();
    heap.free(changetype<usize>(this));
  }

  private grow(size: usize): usize {
    const bytes = max<usize>(BLOCK_BYTES, size + BLOCK_HEADER);
    const block = heap.alloc(bytes);
    store<usize>(block, this.block);
    store<usize>(block, bytes, 8);
    this.block = block;
    this.end = block + bytes;
    this.held += bytes;
    heldBytes += bytes;
    if (this.cap != 0 && this.held > this.cap) this.exceeded = true;
    const at = block + BLOCK_HEADER;
    this.cursor = at + size;
    return at;
  }
}

/** Gives a zeroed, unmanaged `T` that lives in `arena`. */
export function make<T>(arena: Arena): T {
  return changetype<T>(arena.alloc(offsetof<T>()));
}
