/** Files that rules name (`@pmFromFile`), by base name: a proxy has no file system, so they are given to it. */
import { Arena, make } from "../bytes/arena";
import { equal, lastIndexOf } from "../bytes/span";

@unmanaged
class DataFile {
  name: usize;
  nameLen: i32;
  ptr: usize;
  len: i32;
  next: DataFile | null;
}

let arena: Arena = changetype<Arena>(0);
let first: DataFile | null = null;

/** Content of the file that `findDataFile` found. */
export let dataPtr: usize = 0;
export let dataLen: i32 = 0;

/** Adds a file; name and content are copied. */
export function addDataFile(name: usize, nameLen: i32, ptr: usize, len: i32): void {
  if (changetype<usize>(arena) == 0) arena = Arena.create(0);
  const file = make<DataFile>(arena);
  file.name = arena.copy(name, nameLen);
  file.nameLen = nameLen;
  file.ptr = arena.copy(ptr, len);
  file.len = len;
  file.next = first;
  first = file;
}

/** Finds a file by the last part of its path. */
export function findDataFile(name: usize, nameLen: i32): bool {
  const slash = lastIndexOf(name, nameLen, 0x2f);
  for (let file: DataFile | null = first; file; file = file!.next) {
    if (!equal(file.name, file.nameLen, name + slash + 1, nameLen - slash - 1)) continue;
    dataPtr = file.ptr;
    dataLen = file.len;
    return true;
  }
  return false;
}
