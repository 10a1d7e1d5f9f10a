/** A client of what echoes. */
import { connect } from "node:net";

/** Says something on a connection to 127.0.0.1 without HTTP. Gives what came back before it ended. */
export function say(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let echoed = "";
    socket.on("data", (data: Buffer) => {
      echoed += data.toString();
      socket.end();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(echoed));
  });
}
