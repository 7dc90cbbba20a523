import { Server, ServerCredentials, type ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { ReflectionService } from "@grpc/reflection";
import { HealthImplementation, protoPath as healthProtoPath } from "grpc-health-check";
import { type Cache, openCache } from "../service/cache.ts";
import { portFrom, textFrom } from "../service/environment.ts";
import { closeHttp } from "../service/http-listener.ts";
import { processMetrics } from "../service/metrics.ts";
import { type RunningService, runService, type ServiceContext } from "../service/run-service.ts";
import { startStatusServer } from "../service/status-server.ts";
import { inventoryMethods } from "./inventory-service.ts";

const SERVICE = "shop.inventory.v1.Inventory";

runService("inventory", start);

async function start({ environment, log, asset }: ServiceContext): Promise<RunningService> {
  const cache = openCache({ url: textFrom(environment, "REDIS_URL"), log });
  const server = grpcServer(cache, asset("proto/inventory.proto"));
  await bind(server, portFrom(environment, "GRPC_PORT"));
  const statusServer = await startStatusServer({
    port: portFrom(environment, "STATUS_PORT"),
    registry: processMetrics(),
    check: () => cache.ping(),
  });
  return {
    stop: async () => {
      await Promise.all([closeHttp(statusServer), closeGrpc(server)]);
      cache.close();
    },
  };
}

function grpcServer(cache: Cache, protoPath: string): Server {
  const definitions = loadSync([protoPath, healthProtoPath], { defaults: true });
  const server = new Server();
  server.addService(definitions[SERVICE] as ServiceDefinition, inventoryMethods(cache));
  new HealthImplementation({ "": "SERVING", [SERVICE]: "SERVING" }).addToServer(server);
  new ReflectionService(definitions).addToServer(server);
  return server;
}

async function bind(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`0.0.0.0:${port}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    ),
  );
}

/** Clients keep their connections open for ever: calls in flight end, then the connections are cut. */
async function closeGrpc(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
}
