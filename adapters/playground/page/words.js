// The page's words in the visitor's language, and dates as people say them.

let words = {};
let language = "nl";
const ZONE = "Europe/Amsterdam";

export async function speak(wanted, get) {
  const answer = await get(`/words?language=${wanted}`);
  words = answer.words;
  language = wanted;
  document.documentElement.lang = wanted;
  document.title = t("app");
  for (const one of document.querySelectorAll("[data-t]")) one.textContent = t(one.dataset.t);
  for (const one of document.querySelectorAll("[data-t-label]")) {
    one.setAttribute("aria-label", t(one.dataset.tLabel));
    if (one.matches(".icon")) one.title = t(one.dataset.tLabel);
  }
}

export const spoken = () => language;
export const has = (name) => name in words;

export function t(name, values = {}) {
  return (words[name] ?? name).replace(/\[(\w+)\]/g, (all, key) => values[key] ?? all);
}

const format = (moment, options) => new Intl.DateTimeFormat(language === "nl" ? "nl-NL" : "en-GB", { timeZone: ZONE, ...options }).format(moment);
export const clockTime = (moment) => format(moment, { hour: "2-digit", minute: "2-digit" });
export const shortTime = (moment) => format(moment, { weekday: "short", hour: "2-digit", minute: "2-digit" });
export const fullDay = (moment) => format(moment, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
export const dayKey = (moment) => format(moment, { year: "numeric", month: "2-digit", day: "2-digit" });
const shortDay = (moment) => format(moment, { weekday: "short", day: "numeric", month: "short" });

export function day(moment, now) {
  const ahead = Math.round((midnight(moment) - midnight(now)) / 86_400_000);
  if (Math.abs(ahead) <= 1) return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(ahead, "day");
  return format(moment, { weekday: "long", day: "numeric", month: "long" });
}

export function when(moment, now) {
  const near = Math.abs(midnight(moment) - midnight(now)) < 2 * 86_400_000;
  return `${near ? day(moment, now) : shortDay(moment)} ${clockTime(moment)}`;
}

export function minutesOfDay(moment) {
  const [hour, minute] = clockTime(moment).split(":").map(Number);
  return hour * 60 + minute;
}

function midnight(moment) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: ZONE }).format(moment);
  return Date.parse(`${parts}T00:00:00Z`);
}

export function list(names) {
  return new Intl.ListFormat(language, { type: "conjunction" }).format(names);
}
