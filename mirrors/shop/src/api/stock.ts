import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import { loadSync, type ServiceDefinition } from "@grpc/proto-loader";
import { answerOf } from "../service/dependency.ts";

/** The inventory as checkout asks it. */
export interface StockClient {
  /** Units available, 0 for a product the inventory does not know. @throws DependencyFailure */
  available(sku: string): Promise<number>;
  close(): void;
}

const SERVICE = "shop.inventory.v1.Inventory";
const DEADLINE_MS = 1_000;

/** A client of the gRPC inventory at `address`, spread over its replicas. */
export function stockClient(options: {
  readonly address: string;
  readonly protoPath: string;
  readonly epochMs: () => number;
}): StockClient {
  const getStock = (loadSync(options.protoPath, { defaults: true })[SERVICE] as ServiceDefinition)["GetStock"];
  if (getStock === undefined) throw new Error(`${options.protoPath} has no ${SERVICE}.GetStock`);
  const client = new Client(`dns:///${options.address}`, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    // A restarted inventory is found again within a second; the default backs off for two minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
  });
  const ask = (sku: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const answered = (error: ServiceError | null, stock?: { readonly available: number }): void => {
        if (error === null) resolve(stock?.available ?? 0);
        else if (error.code === status.NOT_FOUND) resolve(0);
        else reject(error);
      };
      const { path, requestSerialize, responseDeserialize } = getStock;
      const deserialize = (bytes: Buffer) => responseDeserialize(bytes) as { readonly available: number };
      const deadline = options.epochMs() + DEADLINE_MS;
      client.makeUnaryRequest(path, requestSerialize, deserialize, { sku }, { deadline }, answered);
    });
  return { available: (sku) => answerOf("inventory", ask(sku)), close: () => client.close() };
}
