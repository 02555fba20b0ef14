// The shared worker: one event stream for all pages of one member in this browser.
import { Stream, type StreamMessage } from "./stream.ts";

interface Join {
  type: "join" | "leave";
  url: string;
  renderedAt: number;
}

const ports = new Set<MessagePort>();
let stream: Stream | null = null;

function tellAll(message: StreamMessage): void {
  for (const port of ports) port.postMessage(message);
}

function hear(port: MessagePort, message: Join): void {
  if (message.type === "leave") {
    ports.delete(port);
    port.close();
    if (ports.size === 0) {
      stream?.close();
      stream = null;
    }
    return;
  }
  ports.add(port);
  stream ??= new Stream(message.url, tellAll);
  const stale = stream.staleSince(message.renderedAt);
  if (stale !== null) port.postMessage({ type: "open", stale } satisfies StreamMessage);
}

addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0];
  if (!port) return;
  port.addEventListener("message", (message: MessageEvent<Join>) => hear(port, message.data));
  port.start();
});
