#!/usr/bin/env node
// Runs the TypeScript sources directly: what is read is what runs.
import { register } from "tsx/esm/api";

register();
const { main } = await import("./main.ts");
await main(process.argv);
