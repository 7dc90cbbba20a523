import { boundedMap } from "../../core/bounded-map.ts";

/** Answers kept, and characters of a question that is worth keeping one for: some megabytes in all. */
const KEPT_MAX = 500;
const QUESTION_CHARS_MAX = 8_000;

/**
 * Remembers the last answers to questions that have one answer for ever. Whatever throws is not remembered.
 * @param textOf - all of a question that its answer depends on
 */
export function rememberingAnswers<Question, Answer>(
  textOf: (question: Question) => string,
  answer: (question: Question) => Answer,
): (question: Question) => Answer {
  const kept = boundedMap<string, Answer>(KEPT_MAX);
  return (question) => {
    const text = textOf(question);
    const known = kept.get(text);
    if (known !== undefined) return known;
    const found = answer(question);
    if (text.length <= QUESTION_CHARS_MAX) kept.set(text, found);
    return found;
  };
}
