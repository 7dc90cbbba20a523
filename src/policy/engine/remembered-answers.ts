import type { RuleAnswer, RuleEvaluator } from "./rule-evaluator.ts";

/** Answers kept, and characters of a question that is worth keeping one for: some megabytes in all. */
const KEPT_MAX = 500;
const QUESTION_CHARS_MAX = 8_000;

/**
 * Remembers the last answers of rules that can not change and look at nothing but the question. Facts name neither a time
 * nor a digest, so that delivery tools which ask about one plan again and again are answered in microseconds (Cedar takes
 * about a millisecond, most of it for reading the facts). Whatever throws is not remembered.
 */
export function rememberingAnswers(rules: RuleEvaluator): RuleEvaluator {
  const kept = new Map<string, RuleAnswer>();
  return {
    ...rules,
    evaluate: async (request) => {
      const question = JSON.stringify(request);
      const known = kept.get(question);
      const answer = known ?? (await rules.evaluate(request));
      if (question.length > QUESTION_CHARS_MAX) return answer;
      // The oldest stand first.
      kept.delete(question);
      kept.set(question, answer);
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_MAX) break;
        kept.delete(oldest);
      }
      return answer;
    },
  };
}
