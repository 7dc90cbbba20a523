import { invariant } from "../../core/invariant.ts";
import type { IngressHarm } from "../twin.ts";

// A harm is planted in a twin's ingress (docs/decisions/0012): HAProxy's own rules decide in well under a microsecond that
// none is switched on, and only then is Lua asked. Everything used is in HAProxy 2.6 as Debian and as its makers build it.

/** Where the switch and the script lie inside the ingress container. */
export const HARM_FILES = { map: "/tmp/canary-harm.map", script: "/tmp/canary-harm.lua" } as const;

/** The map's one entry while nothing is planted. */
export const HARM_OFF = "harm off\n";

/**
 * What meets a request. HAProxy counts in milliseconds and wakes late by about one, so the script learns how late, and rounds
 * what is left up or down by chance: the mean is what was asked for, and no delay is more than about two milliseconds off.
 * It never spends time on the processor: on the core of a busy twin that made far more than was asked for.
 */
export const HARM_SCRIPT = `
local known, harm = nil, nil

local function read(text)
  if text == known then return harm end
  known, harm = text, nil
  if text == nil then return nil end
  local plain = text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
  local fields = {}
  for key, value in plain:gmatch("([^\\n=]+)=([^\\n]*)") do fields[key] = value end
  harm = {
    method = fields.method,
    prefix = fields.prefix,
    delay = tonumber(fields.delay) or 0,
    share = tonumber(fields.share) or 0,
    errors = tonumber(fields.errors) or 0,
  }
  return harm
end

local function now_us()
  local now = core.now()
  return now.sec * 1000000 + now.usec
end

core.register_action("canary_harm", { "http-req" }, function(txn)
  local it = read(txn:get_var("txn.canary_harm"))
  if it == nil then return end
  if it.method ~= nil and txn.f:method() ~= it.method then return end
  if it.prefix ~= nil and txn.f:path():sub(1, #it.prefix) ~= it.prefix then return end
  if math.random() < it.errors then
    txn:set_var("txn.canary_error", 1)
  elseif it.delay > 0 or it.share > 0 then
    txn:set_var("txn.canary_since", now_us())
  end
end)

local late = 1

core.register_action("canary_delay", { "http-res" }, function(txn)
  local it = read(txn:get_var("txn.canary_harm"))
  if it == nil then return end
  local began = now_us()
  local wanted = it.delay + it.share * (began - txn:get_var("txn.canary_since")) / 1000
  local wait = 1
  if wanted >= 1 + late then
    wait = math.floor(wanted - late + math.random())
  elseif math.random() >= wanted / (1 + late) then
    return
  end
  core.msleep(wait)
  local over = (now_us() - began) / 1000 - wait
  late = late + 0.02 * (math.min(math.max(over, 0.1), 5) - late)
end)
`;

/** Lines for the global section. */
export function harmGlobals(): readonly string[] {
  return [`  lua-load ${HARM_FILES.script}`];
}

/** Lines for a section that takes requests; `unless` names a condition under which a request is not the traffic's. */
export function harmRules(unless?: string): readonly string[] {
  const planted = `str(harm),map(${HARM_FILES.map},off)`;
  const spared = unless === undefined ? "" : ` !{ ${unless} }`;
  return [
    `  http-request set-var(txn.canary_harm) ${planted} if !{ ${planted} -m str off }${spared}`,
    "  http-request lua.canary_harm if { var(txn.canary_harm) -m found }",
    `  http-request return status 503 content-type text/plain string "planted by the rehearsal" if { var(txn.canary_error) -m found }`,
    "  http-response lua.canary_delay if { var(txn.canary_since) -m found }",
  ];
}

/**
 * The command of HAProxy's runtime API that plants a harm or takes it away; in force for requests that come later.
 * Encoded, so that nothing in a path can be a command.
 */
export function harmCommand(harm: IngressHarm | undefined): string {
  return `set map ${HARM_FILES.map} harm ${harm === undefined ? "off" : Buffer.from(fieldsOf(harm)).toString("hex")}`;
}

function fieldsOf({ requests, delayMs = 0, delayShare = 0, errorShare = 0 }: IngressHarm): string {
  for (const value of [delayMs, delayShare, errorShare]) {
    invariant(Number.isFinite(value) && value >= 0, `a harm is a finite number from 0, not ${value}`);
  }
  invariant(errorShare <= 1, "a share is at most 1");
  const fields = [`delay=${delayMs.toFixed(6)}`, `share=${delayShare.toFixed(6)}`, `errors=${errorShare.toFixed(6)}`];
  if (requests?.method !== undefined) fields.push(`method=${oneLine(requests.method)}`);
  if (requests !== undefined) fields.push(`prefix=${oneLine(requests.pathPrefix)}`);
  return fields.join("\n");
}

function oneLine(text: string): string {
  invariant(!/[\n\r]/.test(text), "a method or path is one line");
  return text;
}
