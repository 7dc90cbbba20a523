// What points to a person, by its shape. Every pattern is bounded or can not fail late, so that no text makes it slow.

const EMAIL = /\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}\b/g;
/** Digits, also in groups, in which a card number may stand. */
const DIGITS = /(?<![\w.])\d(?:[ -]?\d){12,29}(?!\w)/g;
/** Of all numbers of issuers, 13 to 19 digits long; an instant in milliseconds is none. */
const CARD_DIGITS_MAX = 19;
const CARD = /^(?:2[2-7]|[3-6])\d{11,17}$/;
const IBAN = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b/g;
const IBAN_CHARS_MIN = 15;
/** International form only: a bare run of digits is more often an identifier, and a short one a difference. */
const PHONE = /(?<![\w+])\+\d{1,3}(?:[ ()/-]{0,2}\d){8,12}\b/g;
/** Of the public internet: those of private networks are machines. */
const IPV4 =
  /\b(?!127\.|0\.0\.0\.0|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.)(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b(?![.\d])/g;
/** Global unicast addresses; shorter things with colons are times. */
const IPV6 =
  /(?<![\w:])[23][0-9a-f]{3}(?:(?::[0-9a-f]{1,4}){7}|(?::[0-9a-f]{1,4}){0,5}::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?)(?![\w:])/gi;
/** A value that begins with a bracket is masked already, or a list. */
const PERSONAL_NAME =
  /(["']?)((?:first|last|full|given|family|sur|customer|user)_?name|street|address|phone|birth_?(?:day|date)|date_?of_?birth)\1(\s{0,4}[:=]\s{0,4})("[^"]*(?:"|$)|'[^']*(?:'|$)|(?!\[)[^\s,;&}\])"']+)/gi;
const MASKED_VALUE = /^["']?\[\w+\]["']?$/;

/**
 * The text without what points to a person: addresses of mail, cards (with their check digit), accounts (with theirs), phones
 * and public hosts, and values under names such as `full_name`.
 */
export function withoutPersonalData(text: string): string {
  return text
    .replace(EMAIL, "[email]")
    .replace(DIGITS, withoutCards)
    .replace(IBAN, withoutAccount)
    .replace(PHONE, "[phone]")
    .replace(IPV4, "[address]")
    .replace(IPV6, "[address]")
    .replace(PERSONAL_NAME, (whole, quote: string, name: string, assigns: string, value: string) =>
      MASKED_VALUE.test(value) ? whole : `${quote}${name}${quote}${assigns}[personal]`,
    );
}

/** A number may stand beside others: the first groups of digits that are a card by their check digit are taken for one. */
function withoutCards(text: string): string {
  const groups = text.split(/([ -])/);
  for (let from = 0; from < groups.length; from += 2) {
    let number = "";
    for (let to = from; to < groups.length && number.length < CARD_DIGITS_MAX; to += 2) {
      number += groups[to] ?? "";
      if (CARD.test(number) && passesLuhn(number))
        return [...groups.slice(0, from), "[card]", ...groups.slice(to + 1)].join("");
    }
  }
  return text;
}

/** Whole groups from the start, as many as their check digits agree with; what follows them is other text. */
function withoutAccount(text: string): string {
  const groups = text.split(" ");
  for (let to = groups.length; to > 0; to--) {
    const account = groups.slice(0, to).join("");
    if (account.length < IBAN_CHARS_MIN) break;
    if (passesMod97(account)) return ["[account]", ...groups.slice(to)].join(" ");
  }
  return text;
}

/** The check digit of ISO/IEC 7812. */
function passesLuhn(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** The check digits of ISO 13616. */
function passesMod97(account: string): boolean {
  const digits = [...account.slice(4), ...account.slice(0, 4)].map((one) => Number.parseInt(one, 36)).join("");
  return [...digits].reduce((remainder, digit) => (remainder * 10 + Number(digit)) % 97, 0) === 1;
}
