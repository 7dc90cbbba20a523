import type { RunObserver } from "../report/run-event.ts";

/** A terminal's keyboard as it is read here; `process.stdin` is one. */
export interface Keyboard {
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode?(raw: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
  on(event: "data", listener: (data: Buffer) => void): unknown;
  off(event: "data", listener: (data: Buffer) => void): unknown;
}

const CTRL_C = 0x03;

/**
 * Reads keys beside the live view: `a` asks, `y` aborts; Ctrl-C is passed on as the signal that it no longer is in raw mode. The
 * terminal is put back when disposed, and `restore` does it at once, for an end that waits for nobody.
 */
export function readKeys(options: {
  readonly keyboard: Keyboard;
  /** Whether there is a live view to ask in. */
  readonly isShown: boolean;
  readonly observe: RunObserver;
  readonly abort: () => void;
  readonly interrupt: () => void;
}): Disposable & { readonly restore: () => void } {
  const { keyboard, observe } = options;
  if (!options.isShown || keyboard.isTTY !== true || keyboard.setRawMode === undefined) {
    return { restore: () => undefined, [Symbol.dispose]: () => undefined };
  }
  const wasRaw = keyboard.isRaw === true;
  let isAsking = false;
  let isOver = false;
  const ask = (open: boolean): void => {
    if (isAsking === open) return;
    isAsking = open;
    observe({ kind: "confirm-abort", open });
  };
  const onKey = (key: number): void => {
    const letter = String.fromCharCode(key).toLowerCase();
    if (key === CTRL_C) options.interrupt();
    else if (isAsking) {
      ask(false);
      if (letter === "y") options.abort();
    } else if (letter === "a") ask(true);
  };
  const onData = (data: Buffer): void => {
    // A pasted text or an arrow key is no answer of a person to a question.
    if (data.length === 1) onKey(data[0] ?? 0);
    else if (data.includes(CTRL_C)) options.interrupt();
  };
  const restore = (): void => {
    if (isOver) return;
    isOver = true;
    keyboard.off("data", onData);
    keyboard.setRawMode?.(wasRaw);
    keyboard.pause();
  };
  keyboard.setRawMode(true);
  keyboard.on("data", onData);
  keyboard.resume();
  return { restore, [Symbol.dispose]: restore };
}
