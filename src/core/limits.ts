/** A limit on everything that comes from outside or can grow, with its reason. */
export const LIMITS = {
  /** A document is read by people; a megabyte of YAML is an accident or an attack. */
  documentBytesMax: 1024 * 1024,
  /** Lists and objects within one another in JSON that is read strictly. */
  jsonDepthMax: 200,
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
  /** Triggers, and safeguards, of one scenario; each is asked beside the traffic. */
  watchesMax: 50,
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
  /** Of one sampled answer, compared with the other twin's; longer ones by their first bytes and their length. */
  sampledBodyBytesMax: 64 * 1024,
  /** Places in the answers of one route that are told apart; what comes after them is counted, not judged. */
  responseFieldsMax: 500,
  /** Metrics of one replica, read every second; the largest exporters give a tenth of it. */
  metricsBytesMax: 16 * 1024 * 1024,
  /** Output of one command or log tail kept as evidence. */
  outputBytesMax: 64 * 1024,
  /** Longest run we promise to finish: a working day's CI slot. */
  runMsMax: 4 * 60 * 60_000,
  /** One file that an action changes: configuration and flags, not data. */
  fileBytesMax: 1024 * 1024,
  /** Redis keys whose values are kept as an undo. */
  undoKeysMax: 200,
  /** Lines of output that one action may ask for. */
  logLinesMax: 1000,
  /** Text or diff of a ticket or pull request that a person is to read. */
  proposalCharsMax: 200_000,
  /** Resources with a difference that are listed one by one; the rest are counted. */
  differencesListedMax: 200,
  /** Calls to the stubs of one twin that are kept; of more it is only known that they were made. */
  stubCallsKeptMax: 200_000,
  /** Keys of one Redis that are fingerprinted; 20,000 take 0.3 s, and a mirror is a sample of production. */
  redisKeysMax: 200_000,
  /** Values of one Redis that a snapshot keeps in memory; a mirror is a sample of production. */
  snapshotBytesMax: 256 * 1024 * 1024,
  /** Faults of one drill; each is a column of the matrix and is struck once for every prefix of the plan. */
  drillFaultsMax: 40,
  /** A file of a container or volume whose content is compared; of a larger one size, owner and time of writing are. */
  comparedFileBytesMax: 64 * 1024 * 1024,
  /** Contents compared in one volume or one container's own layer; read again at every look in which they changed. */
  comparedVolumeBytesMax: 512 * 1024 * 1024,
  /** Files of one volume or layer that are compared one by one; more are told as one thing. */
  filesComparedMax: 20_000,
  /** Separate reads of one container's layer, where every changed file costs a call to the engine. */
  layerReadsMax: 100,
  /** Lines of one container read between two looks; 4 MB of ordinary lines. */
  logLinesComparedMax: 20_000,
  /** Patterns of trouble kept for one twin; a service that writes more of them has other problems. */
  errorPatternsMax: 500,
  /** Rows of one table compared one by one where buckets differ; beyond it columns are compared as a whole. */
  rowsComparedMax: 50_000,
  /** Rows written by actions under load that are listed one by one; the others are counted by table. */
  rowsAttributedMax: 5_000,
  /** One entry of the ledger: tiles count its bytes in 16 bits (C2SP tlog-tiles). */
  ledgerEntryBytesMax: 65_535,
  /** Entries of one append; a gate's decision is one to three. */
  ledgerBatchMax: 256,
  /** Entries of one durable transaction; more wait for the next. */
  ledgerCommitEntriesMax: 1024,
  /** Appends that wait for a transaction; beyond it a caller is told at once that the ledger is slow. */
  ledgerWaitingMax: 20_000,
  /** A document stored with an entry: a bundle, plan or approval is at most this. */
  ledgerDocumentBytesMax: 4 * 1024 * 1024,
  /** Documents of one append. */
  ledgerDocumentsMax: 16,
  /** Digests that one entry can be found by. */
  ledgerSubjectsMax: 32,
  /** Entries about one digest that are given as all there are. */
  ledgerEntriesAboutMax: 10_000,
  /** What clocks of gates on one database may differ by; kept small, it is also how far a clock can be set back unseen. */
  ledgerClockSkewMsMax: 5_000,
  /** Longest wait for the database before a caller is told that it is slow. */
  ledgerAnswerMsMax: 5_000,
  /** Keys of one `trust.yaml`; an organisation that has more signs through fewer. */
  trustedKeysMax: 1000,
  /** A request to the gate: an AdmissionReview holds two objects, and etcd takes none above 1.5 MB. */
  gateBodyBytesMax: 3 * 1024 * 1024,
  /** Every other request: a verdict, a plan and its signatures. */
  gateDocumentBytesMax: 2 * 1024 * 1024,
  /** Bodies that are read at the same time, over all connections; more are told to come again. */
  gateBodiesBytesMax: 64 * 1024 * 1024,
  /** Levels of lists and objects in a request. */
  gateJsonDepthMax: 64,
  /** Longest wait for evidence and ledger before a request is refused; delivery tools give up after ten seconds. */
  gateDecisionMsMax: 4_000,
  /** A request's head and its body must have come by then: slow senders hold connections. */
  gateHeadersMsMax: 5_000,
  gateRequestMsMax: 10_000,
  /** Connections at once. */
  gateConnectionsMax: 1_000,
  /** Of these, of one address, unless the operator says otherwise: as many as requests are answered at once, since an API server or a proxy may need all of them. */
  gateConnectionsPerAddressMax: 256,
  /** The longest that an operator may let a TLS handshake take. */
  gateHandshakeMsMax: 30_000,
  /** Requests that are answered at once; more are told to come again. */
  gateRequestsAtOnceMax: 256,
  /** Callers whose rate is kept count of; the one that was quiet longest is forgotten first. */
  gateRatesMax: 10_000,
  /** Earlier plans of one environment that one question to policy looks at. */
  pastPlansMax: 10_000,
  /** Reasons that a policy agent may give; ours has a score of rules. */
  policyReasonsMax: 200,
  /** One answer of a policy agent; the list of its modules with their syntax trees is the longest. */
  policyAnswerBytesMax: 8 * 1024 * 1024,
  /** Files of one policy, and cases of one table. */
  policyFilesMax: 50,
  policyCasesMax: 2_000,
} as const;
