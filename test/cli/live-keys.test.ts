import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { type Keyboard, readKeys } from "../../src/cli/live-keys.ts";
import type { RunEvent } from "../../src/report/run-event.ts";

function pressed(isTTY = true) {
  const keys = new EventEmitter();
  const modes: boolean[] = [];
  const happened: string[] = [];
  const events: RunEvent[] = [];
  const keyboard: Keyboard = {
    isTTY,
    isRaw: false,
    setRawMode: (raw) => void modes.push(raw),
    resume: () => undefined,
    pause: () => undefined,
    on: (event, listener) => keys.on(event, listener),
    off: (event, listener) => keys.off(event, listener),
  };
  const reading = readKeys({
    keyboard,
    isShown: true,
    observe: (event) => void events.push(event),
    abort: () => void happened.push("abort"),
    interrupt: () => void happened.push("interrupt"),
  });
  const press = (...texts: readonly string[]): void => {
    for (const text of texts) keys.emit("data", Buffer.from(text));
  };
  return {
    press,
    reading,
    modes,
    happened,
    asked: () => events.map((event) => event.kind === "confirm-abort" && event.open),
  };
}

test("a asks and y aborts", () => {
  const { press, happened, asked } = pressed();
  press("a");
  expect({ happened: [...happened], asked: asked() }).toEqual({ happened: [], asked: [true] });
  press("y");
  expect({ happened, asked: asked() }).toEqual({ happened: ["abort"], asked: [true, false] });
});

test.each(["n", "\u001b", "x", "a"])("after a, %j aborts nothing, and y then answers no question", (other) => {
  const { press, happened } = pressed();
  press("a", other, "y");
  expect(happened).toEqual([]);
});

test("Ctrl-C stays what it is, also in the middle of a paste, and a pasted y is no answer", () => {
  const { press, happened } = pressed();
  press("\u0003", "a", "yes", "ab\u0003");
  expect(happened).toEqual(["interrupt", "interrupt"]);
});

test("the terminal is put back, once, and keys mean nothing afterwards", () => {
  const { press, reading, modes, happened } = pressed();
  reading.restore();
  reading[Symbol.dispose]();
  press("a", "y", "\u0003");
  expect({ modes, happened }).toEqual({ modes: [true, false], happened: [] });
});

test("where there is no terminal nothing is touched", () => {
  const { modes, reading } = pressed(false);
  reading.restore();
  expect(modes).toEqual([]);
});
