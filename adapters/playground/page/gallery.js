// The gallery: every message and form, in both languages, as each platform shows it.

import { get } from "./api.js";
import { fieldOf } from "./fields.js";
import { $, el } from "./dom.js";
import { paragraphs } from "./said.js";
import { slackLike } from "./slack.js";
import { recall, state } from "./state.js";
import { speak, t } from "./words.js";

const LIKENESS = { slack: slackLike };
const TITLES = { slack: "Slack", teams: "Teams" };
let entries = [];

function cards() {
  const wanted = $("#search").value.trim().toLowerCase();
  const family = $("#family").value;
  const language = $("#languages").value;
  const found = entries.filter((one) => (!family || one.family === family) && (!language || one.language === language) && (!wanted || one.words.includes(wanted)));
  $("#count").textContent = t(found.length === 1 ? "gallery_count_one" : "gallery_count", { n: found.length });
  $("#entries").replaceChildren(...(found.length ? found.map(card) : [el("p", { class: "none" }, t("gallery_none"))]));
}

function card(entry) {
  if (entry.node) return entry.node;
  const platforms = Object.entries(entry.platforms).map(([name, sent]) => {
    const platform = TITLES[name] ?? name;
    const likeness = LIKENESS[name]?.(sent);
    const data = el("details", {}, el("summary", {}, t("gallery_data", { platform })), el("pre", { tabindex: "0" }, JSON.stringify(sent, null, 2)));
    return el("section", {}, el("h3", {}, t("gallery_as", { platform })), likeness, data);
  });
  const own = el("section", {}, el("h3", {}, t("gallery_as", { platform: t("gallery_playground") })), entry.form ? form(entry.form) : message(entry.message));
  entry.node = el("article", { class: "entry" }, el("header", {}, el("h2", {}, entry.name), el("span", { class: "badge" }, entry.family), el("span", { class: "badge" }, entry.language), el("p", { class: "small", lang: "en" }, entry.about)), el("div", { class: "sides" }, own, ...platforms));
  return entry.node;
}

function message(said) {
  const buttons = said.buttons.map((button) => el("button", { type: "button", class: button.style, disabled: true }, button.label));
  const confirms = said.buttons.filter((button) => button.confirm).map((button) => el("p", { class: "small" }, `${button.label} → ${button.confirm.question} · ${button.confirm.yes} · ${button.confirm.no}`));
  return el("div", { class: "shown", lang: said.language }, el("div", { class: "said" }, ...paragraphs(said), buttons.length ? el("div", { class: "presses" }, ...buttons) : null, ...confirms));
}

function form(asked) {
  const fields = el("fieldset", { disabled: true, class: "field" }, ...asked.fields.map((field) => fieldOf(field).node));
  return el("div", { class: "shown", lang: asked.language }, el("h4", {}, asked.title), asked.note && el("p", { class: "note" }, asked.note), fields, el("div", { class: "presses" }, el("button", { type: "button", disabled: true }, asked.cancel), el("button", { type: "button", class: "primary", disabled: true }, asked.submit)));
}

function wordsOf(value) {
  if (typeof value === "string") return value;
  return value && typeof value === "object" ? Object.values(value).map(wordsOf).join(" ") : "";
}

async function begin() {
  const language = recall("language") ?? (navigator.language.startsWith("nl") ? "nl" : "en");
  await speak(language, get);
  document.title = `${t("gallery_title")} · ${t("name")}`;
  $("#search").placeholder = t("gallery_search");
  const [seen, said] = await Promise.all([get("/state?persona=iris"), get("/gallery")]);
  Object.assign(state, { channels: seen.channels, people: new Map(seen.personas.map((one) => [one.id, one])) });
  entries = said.entries;
  for (const entry of entries) entry.words = `${entry.name} ${wordsOf(entry.message ?? entry.form)}`.toLowerCase();
  const families = [...new Set(entries.map((one) => one.family))];
  $("#family").append(el("option", { value: "" }, t("gallery_all")), ...families.map((one) => el("option", { value: one }, one)));
  $("#languages").append(el("option", { value: "" }, t("gallery_both")), el("option", { value: "nl" }, "Nederlands"), el("option", { value: "en" }, "English"));
  $("#languages").value = language;
  for (const filter of ["#search", "#family", "#languages"]) $(filter).addEventListener("input", cards);
  $("#filters").addEventListener("submit", (event) => event.preventDefault());
  cards();
  document.body.removeAttribute("aria-busy");
}

begin();
