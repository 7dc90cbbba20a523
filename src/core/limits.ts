/** A limit on everything that comes from outside or can grow, with its reason. */
export const LIMITS = {
  /** A document is read by people; a megabyte of YAML is an accident or an attack. */
  documentBytesMax: 1024 * 1024,
  /** YAML aliases expanded in one document (alias bombs). */
  yamlAliasesMax: 50,
  /** A person must be able to review the plan in one sitting. */
  planActionsMax: 50,
  /** Names, sentences and paths in documents. */
  textCharsMax: 4000,
  /** Services of one mirror; two copies share one machine. */
  mirrorServicesMax: 40,
  /** Replicas one action may ask for on a rehearsal machine. */
  replicasMax: 20,
  /** SLOs judged in one run; the reject level is divided by their number. */
  slosMax: 50,
  /** Requests a second to each twin; beyond it one machine measures itself. */
  trafficRatePerSecondMax: 2000,
  /** Routes of a traffic mix. */
  routesMax: 500,
  /** A recording is loaded once at start; larger ones are cut by their owner. */
  recordingBytesMax: 256 * 1024 * 1024,
  /** Requests in a recording. */
  recordingRequestsMax: 500_000,
  /** Rows of a series from elsewhere: half a year of minutes, or six days of seconds. */
  seriesPointsMax: 500_000,
  /** A file or an answer with such a series. */
  seriesBytesMax: 64 * 1024 * 1024,
  /** One response body kept for captures and error messages. */
  responseBodyBytesMax: 1024 * 1024,
  /** Metrics of one replica, read every second; the largest exporters give a tenth of it. */
  metricsBytesMax: 16 * 1024 * 1024,
  /** Output of one command or log tail kept as evidence. */
  outputBytesMax: 64 * 1024,
  /** Longest run we promise to finish: a working day's CI slot. */
  runMsMax: 4 * 60 * 60_000,
  /** Resources with a difference that are listed one by one; the rest are counted. */
  differencesListedMax: 200,
  /** Keys of one Redis that are fingerprinted; 20,000 take 0.3 s, and a mirror is a sample of production. */
  redisKeysMax: 200_000,
  /** Rows of one table compared one by one where buckets differ; beyond it columns are compared as a whole. */
  rowsComparedMax: 50_000,
} as const;
