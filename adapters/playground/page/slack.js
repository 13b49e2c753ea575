// A likeness of what Slack makes of Block Kit: enough to judge words and order, not a copy.

import { el } from "./dom.js";

const text = (object) => object?.text ?? "";

export function slackLike(sent) {
  if (Array.isArray(sent)) return el("div", { class: "shown slack" }, ...sent.flatMap(block));
  const foot = el("div", { class: "row foot" }, press({ text: sent.close }), press({ text: sent.submit, style: "primary" }));
  return el("div", { class: "shown slack" }, el("p", { class: "title" }, text(sent.title)), ...(sent.blocks ?? []).flatMap(block), foot);
}

function block(one) {
  switch (one.type) {
    case "rich_text":
      return one.elements.map(rich);
    case "context":
      return [el("p", { class: "context" }, one.elements.map(text).join(" "))];
    case "actions":
      return [el("div", { class: "row" }, ...one.elements.map(press))];
    case "section":
      return [el("p", {}, text(one.text))];
    case "header":
      return [el("p", { class: "title" }, text(one.text))];
    case "divider":
      return [el("hr")];
    case "input":
      return [el("div", { class: "asked" }, el("b", {}, text(one.label), one.optional ? " (optional)" : ""), input(one.element), one.hint && el("p", { class: "context" }, text(one.hint)))];
    default:
      return [el("p", { class: "context" }, one.type)];
  }
}

function rich(element) {
  const runs = (element.elements ?? []).map((run) => (run.style?.bold ? el("b", {}, run.text) : run.style?.italic ? el("i", {}, run.text) : (run.text ?? "")));
  if (element.type === "rich_text_list") return el("ul", {}, ...element.elements.map((item) => el("li", {}, ...rich(item).childNodes)));
  return element.type === "rich_text_quote" ? el("blockquote", {}, ...runs) : el("p", {}, ...runs);
}

function input(element) {
  if (element.type === "radio_buttons" || element.type === "checkboxes") {
    const mark = element.type === "radio_buttons" ? "○" : "☐";
    return el("div", {}, ...element.options.map((option) => el("p", {}, `${mark} ${text(option.text)}`)));
  }
  const shown = element.initial_value ?? text(element.initial_option?.text) ?? element.initial_date ?? element.initial_time;
  return el("div", { class: "box" }, shown || text(element.placeholder) || "…");
}

const press = (button) => el("span", { class: `press ${button.style ?? ""}` }, text(button.text));
