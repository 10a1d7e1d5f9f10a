/** Random patterns and texts, the same each time. */

// A small linear congruential generator (Numerical Recipes): the same cases each time.
let seed: u32 = 12345;
/** Gives a number from 0 on that is less than `below`. */
export function random(below: i32): i32 {
  seed = seed * 1664525 + 1013904223;
  return <i32>((seed >> 8) % <u32>below);
}

const ATOMS: string[] = ["a", "b", "ab", ".", "[ab]", "[^a]", "\\b", "\\B", "^", "$", "\\w", "\\W", "(?m:^)", "(?m:$)", "\n", "\\s", "c{2}"];
const REPEATS: string[] = ["*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?"];

/** Gives a pattern, of groups nested at most that deep. */
export function randomPattern(depth: i32): string {
  let pattern = "";
  const pieces = 1 + random(3);
  for (let i = 0; i < pieces; i++) {
    let atom = depth > 0 && random(3) == 0 ? "(" + randomPattern(depth - 1) + ")" : ATOMS[random(ATOMS.length)];
    if (random(3) == 0) atom = "(?:" + atom + ")" + REPEATS[random(REPEATS.length)];
    pattern += atom;
    if (random(5) == 0) pattern += "|";
  }
  return pattern;
}

/** Gives a text in which such patterns find something, of less than `most` letters. */
export function randomText(most: i32 = 12): string {
  const letters = "aabbc \n_-";
  let text = "";
  const n = random(most);
  for (let i = 0; i < n; i++) text += letters.charAt(random(letters.length));
  return text;
}
