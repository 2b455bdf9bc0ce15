// The page's words, in the language of a visitor's phone. They come from the server, which gets them from the
// catalogues; a text that is missing shows its key.

export const LANGUAGES = { fr: "Français", nl: "Nederlands", de: "Deutsch", en: "English" };
const LOCALES = { fr: "fr-BE", nl: "nl-BE", de: "de-BE", en: "en-GB" };
const DAY = 86_400_000;
// the phones are in Belgium, and so are the times that the bot writes
const ZONE = "Europe/Brussels";

let texts = {};

export function useTexts(given) {
  texts = given;
}

/** The language whose words a phone with this code shows. */
export function languageOf(code) {
  const short = (code || "").slice(0, 2);
  return short in LANGUAGES ? short : "en";
}

/** The words of one language: `t("demo.start")`, `t("demo.beside", { name })`, `t.count("demo.unread", 3)`. */
export function words(code) {
  const language = languageOf(code);
  const locale = LOCALES[language];
  const plural = new Intl.PluralRules(locale);
  const find = (key) => texts[language]?.[key] ?? texts.en?.[key];
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  const t = (key, values = {}) => fill(find(key) ?? key, values);
  t.count = (key, n) => {
    const form = plural.select(n) === "one" ? "one" : "other";
    return fill(find(`${key}.${form}`) ?? `${key} {n}`, { n: n.toLocaleString(locale) });
  };
  t.language = language;
  t.time = (seconds) => new Date(seconds * 1000).toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit", timeZone: ZONE });
  t.day = (seconds) => dayName(new Date(seconds * 1000), locale);
  t.size = (bytes) => fileSize(bytes, locale);
  return t;
}

/** The day of a moment, like 2026-11-24. */
export const dayOf = (date) => date.toLocaleDateString("sv-SE", { timeZone: ZONE });

/** Today, yesterday, or the date; the year only where it is another. */
function dayName(date, locale) {
  const [day, today] = [dayOf(date), dayOf(new Date())];
  const away = Math.round((Date.parse(day) - Date.parse(today)) / DAY);
  if (away === 0 || away === -1) {
    const name = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(away, "day");
    return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
  }
  const year = day.slice(0, 4) === today.slice(0, 4) ? undefined : "numeric";
  return date.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year, timeZone: ZONE });
}

function fileSize(bytes, locale) {
  const units = ["byte", "kilobyte", "megabyte"];
  const step = bytes < 1000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  return new Intl.NumberFormat(locale, {
    style: "unit", unit: units[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step ? 1 : 0,
  }).format(bytes / 1000 ** step);
}
