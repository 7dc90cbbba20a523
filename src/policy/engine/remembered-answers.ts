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
  const kept = new Map<string, Answer>();
  return (question) => {
    const text = textOf(question);
    const found = kept.get(text) ?? answer(question);
    if (text.length > QUESTION_CHARS_MAX) return found;
    // The oldest stand first.
    kept.delete(text);
    kept.set(text, found);
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT_MAX) break;
      kept.delete(oldest);
    }
    return found;
  };
}
