import { openCache } from "../service/cache.ts";
import { openDatabase } from "../service/database.ts";
import { answerOf } from "../service/dependency.ts";
import { countFrom, portFrom, textFrom } from "../service/environment.ts";
import { closeHttp, listenHttp } from "../service/http-listener.ts";
import { processMetrics } from "../service/metrics.ts";
import { type RunningService, runService, type ServiceContext } from "../service/run-service.ts";
import { apiListener } from "./api-listener.ts";
import { apiMetrics } from "./api-metrics.ts";
import { paymentsAt } from "./payments.ts";
import { watchFlags } from "./shop-flags.ts";
import { shopRoutes } from "./shop-routes.ts";
import { settingsReader } from "./shop-settings.ts";
import { stockClient } from "./stock.ts";

runService("api", start);

async function start({ environment, log, asset, monotonicMs, epochMs }: ServiceContext): Promise<RunningService> {
  const cache = openCache({ url: textFrom(environment, "REDIS_URL"), log });
  const poolMax = countFrom(environment, "DB_POOL_MAX", { min: 1, max: 90 });
  const database = openDatabase({ url: textFrom(environment, "DATABASE_URL"), poolMax, log });
  const address = textFrom(environment, "INVENTORY_ADDRESS");
  const stock = stockClient({ address, protoPath: asset("proto/inventory.proto"), epochMs });
  const flags = watchFlags(textFrom(environment, "FLAGS_FILE"), log);
  const registry = processMetrics();
  const metrics = apiMetrics(registry, database);
  const routes = shopRoutes({
    cache,
    database,
    stock,
    metrics,
    charge: paymentsAt(textFrom(environment, "PAYMENTS_URL")),
    settings: settingsReader(database, monotonicMs),
    flags,
    sessionSecret: textFrom(environment, "SESSION_SECRET"),
  });
  const check = async (): Promise<void> => {
    await Promise.all([database.rows("SELECT 1", []), answerOf("cache", cache.ping())]);
  };
  const server = await listenHttp(
    portFrom(environment, "PORT"),
    apiListener({ routes, metrics, registry, check, log }),
  );
  return {
    stop: async () => {
      await closeHttp(server);
      flags.close();
      stock.close();
      cache.close();
      await database.close();
    },
  };
}
