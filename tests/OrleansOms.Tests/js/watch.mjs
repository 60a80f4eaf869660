// Watches with the official client and writes what it hears, one JSON line each. Usage:
//   node watch.mjs URL json|messagepack METHOD ARGUMENT [KEY]
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";

const [url, protocol, method, argument, key] = process.argv.slice(2);
const tell = (what, value) => process.stdout.write(JSON.stringify({ what, value }) + "\n");

const builder = new HubConnectionBuilder()
  .withUrl(url, key ? { accessTokenFactory: () => key } : {})
  .withAutomaticReconnect([0, 100, 200, 500, 500, 500, 1000, 1000, 1000, 1000])
  .configureLogging(LogLevel.None);
if (protocol === "messagepack") builder.withHubProtocol(new MessagePackHubProtocol());
const connection = builder.build();

const watch = async () => {
  try {
    tell("answer", await connection.invoke(method, ...(argument ? [argument] : [])));
  } catch (error) {
    tell("refused", error.message);
  }
};
for (const push of ["orderChanged", "shipmentChanged", "stockChanged", "countsChanged", "resync"])
  connection.on(push, value => tell(push, value));
connection.onreconnected(watch);
connection.onclose(() => tell("closed", null));

process.stdin.on("end", () => connection.stop());
process.stdin.resume();
await connection.start();
await watch();
