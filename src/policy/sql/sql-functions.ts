import { found, type SqlFinding } from "./sql-finding.ts";

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== "");

/**
 * Functions of `pg_catalog` that change nothing (pg_proc: immutable or stable, and the volatile ones that only ask the
 * clock or chance). What is missing here counts as unknown; an entry must not run text as SQL and must not open files.
 */
const READING = new Set(
  words(`
  abs acos acosd asin asind atan atan2 atan2d atand cbrt ceil ceiling cos cosd cosh cot cotd degrees div exp factorial
  floor gcd lcm ln log log10 min_scale mod pi power radians round scale sign sin sind sinh sqrt tan tand tanh trim_scale
  trunc width_bucket random random_normal erf erfc gamma lgamma
  ascii bit_count bit_length btrim char_length character_length chr concat concat_ws convert convert_from convert_to
  crc32 crc32c decode encode format initcap left length lower lpad ltrim md5 normalize octet_length overlay
  parse_ident position pg_client_encoding quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like
  regexp_match regexp_matches regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr repeat replace
  reverse right rpad rtrim sha224 sha256 sha384 sha512 split_part starts_with string_to_array string_to_table strpos
  substr substring to_ascii to_bin to_hex to_oct translate trim unicode_assigned unistr upper casefold like_escape
  get_bit get_byte set_bit set_byte substring_similar
  age clock_timestamp current_date date_add date_bin date_part date_subtract date_trunc extract isfinite justify_days
  justify_hours justify_interval localtime localtimestamp make_date make_interval make_time make_timestamp
  make_timestamptz now statement_timestamp timeofday timezone to_char to_date to_number to_timestamp
  transaction_timestamp overlaps
  gen_random_uuid uuidv4 uuidv7 uuid_extract_timestamp uuid_extract_version
  array_agg array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position
  array_positions array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort
  array_to_string array_upper cardinality trim_array unnest generate_series generate_subscripts
  array_to_json json_agg json_array_elements json_array_elements_text json_array_length json_build_array
  json_build_object json_each json_each_text json_extract_path json_extract_path_text json_object json_object_agg
  json_object_keys json_populate_record json_populate_recordset json_scalar json_serialize json_strip_nulls
  json_to_record json_to_recordset json_typeof row_to_json to_json jsonb_agg jsonb_array_elements
  jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text
  jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object jsonb_object_agg jsonb_object_keys
  jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first
  jsonb_populate_record jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls
  jsonb_to_record jsonb_to_recordset jsonb_typeof to_jsonb
  any_value avg bit_and bit_or bit_xor bool_and bool_or corr count covar_pop covar_samp cume_dist dense_rank every
  first_value grouping lag last_value lead max min mode nth_value ntile percent_rank percentile_cont percentile_disc
  range_agg range_intersect_agg rank regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy
  regr_syy row_number stddev stddev_pop stddev_samp string_agg sum var_pop var_samp variance xmlagg
  isempty lower_inc lower_inf range_merge upper_inc upper_inf multirange
  int4range int8range numrange tsrange tstzrange daterange
  coalesce greatest least nullif num_nonnulls num_nulls
  array_to_tsvector get_current_ts_config numnode phraseto_tsquery plainto_tsquery querytree setweight strip to_tsquery
  to_tsvector ts_delete ts_filter ts_headline ts_rank ts_rank_cd tsvector_to_array websearch_to_tsquery
  abbrev broadcast family host hostmask inet_merge inet_same_family masklen netmask network set_masklen text
  area box center circle diagonal diameter height isclosed isopen line lseg npoints path pclose point polygon popen
  radius slope width
  current_catalog current_database current_query current_role current_schema current_schemas current_setting current_user
  inet_client_addr inet_client_port inet_server_addr inet_server_port pg_backend_pid pg_blocking_pids pg_conf_load_time
  pg_current_wal_lsn pg_current_xact_id_if_assigned pg_get_constraintdef pg_get_expr pg_get_functiondef pg_get_indexdef
  pg_get_ruledef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef pg_has_role pg_is_in_recovery
  pg_jit_available pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_postmaster_start_time
  pg_safe_snapshot_blocking_pids pg_table_is_visible pg_trigger_depth pg_typeof pg_wal_lsn_diff session_user version
  format_type col_description obj_description shobj_description to_regclass to_regnamespace to_regoper to_regproc
  to_regprocedure to_regrole to_regtype has_any_column_privilege has_column_privilege has_database_privilege
  has_function_privilege has_schema_privilege has_sequence_privilege has_table_privilege row_security_active
  pg_column_size pg_database_size pg_indexes_size pg_relation_filenode pg_relation_filepath pg_relation_size
  pg_size_bytes pg_size_pretty pg_table_size pg_tablespace_size pg_total_relation_size pg_lock_status
  pg_stat_get_activity pg_sequence_last_value pg_sequence_parameters pg_stat_get_numscans pg_stat_get_live_tuples
  pg_stat_get_dead_tuples lastval currval txid_current_if_assigned txid_snapshot_xmin txid_snapshot_xmax
  `),
);

const PROGRAM = "reaches files, programs or servers outside the database";
const TEXT_AS_SQL = "runs text as SQL, which can not be read here";
const ANOTHER_SESSION = "acts on other sessions of the server";
const SETTINGS = "changes settings of the server or of later statements";

/** Functions that are known for what they do, by name. */
const KNOWN: readonly { readonly names: RegExp; readonly finding: SqlFinding }[] = [
  {
    names:
      /^(lo_export|lo_import|dblink.*|pg_read_(binary_)?file|pg_ls_.*|pg_stat_file|pg_file_.*|pg_logdir_ls|pg_execute.*|postgres_fdw_.*)$/,
    finding: found("forbidden", PROGRAM),
  },
  {
    names:
      /^((query|table|schema|database|cursor)_to_xml(schema|_and_xmlschema)?|ts_stat|ts_rewrite|crosstab\w*|connectby)$/,
    finding: found("forbidden", TEXT_AS_SQL),
  },
  {
    names: /^(lo_unlink|lo_truncate(64)?|pg_drop_replication_slot|pg_logical_slot_get_.*|pg_replication_slot_advance)$/,
    finding: found("loss", "loses what nothing else holds"),
  },
  { names: /^(setval|nextval)$/, finding: found("rows", "moves a sequence") },
  { names: /^(lo_.*|lowrite)$/, finding: found("rows", "writes large objects") },
  {
    names: /^pg_notify$/,
    finding: { ...found("message", "sends a message that nobody can take back"), irreversible: true },
  },
  { names: /^pg_(try_)?advisory_.*$/, finding: found("rows", "takes or frees a lock that others may wait for") },
  { names: /^pg_(terminate|cancel)_backend$/, finding: found("access", ANOTHER_SESSION) },
  {
    names:
      /^(set_config|pg_reload_conf|pg_rotate_logfile|pg_promote|pg_switch_wal|pg_wal_replay_.*|pg_create_.*|pg_stat_reset.*|pg_backup_.*)$/,
    finding: found("access", SETTINGS),
  },
  {
    names: /^(pg_sleep|pg_sleep_for|pg_sleep_until)$/,
    finding: found("maintenance", "holds its transaction open by sleeping"),
  },
];

/** What calling a function does; nothing when it is known to only read. Names of other schemas are unknown code. */
export function functionFinding(name: readonly string[]): SqlFinding | undefined {
  const plain = name.at(-1) ?? "";
  const told = name.join(".");
  const known = KNOWN.find(({ names }) => names.test(plain));
  if (known !== undefined) return { ...known.finding, because: `calls ${told}, which ${known.finding.because}` };
  const builtIn = name.length === 1 || (name.length === 2 && name[0] === "pg_catalog");
  if (builtIn && READING.has(plain)) return undefined;
  return found("program", `calls ${told}, which is not known to only read`);
}
