// The side with channels and people, and who the visitor is.

import { avatar } from "./message.js";
import { $, el, iconButton } from "./dom.js";
import { me, personalChat, state } from "./state.js";
import { t } from "./words.js";

export function rooms() {
  const one = me();
  const button = $("#persona");
  button.replaceChildren(...face(one));
  button.setAttribute("aria-label", `${t("you_are")} ${one.name}. ${t("switch_persona")}`);
  $("#channels").replaceChildren(...state.channels.map((channel) => room(channel.id, channel.name, el("span", { "aria-hidden": "true", class: "hash" }, "#"))));
  const ritme = el("img", { src: "/playground/static/ritme.svg", alt: "", width: 20, height: 20 });
  $("#personal").replaceChildren(room(personalChat(), t("with_ritme"), ritme));
  for (const language of document.querySelectorAll("[data-language]")) language.setAttribute("aria-pressed", String(language.dataset.language === document.documentElement.lang));
}

function room(id, name, mark) {
  const unread = state.unread[id] ?? 0;
  const dot = unread ? el("span", { class: "dot" }, unread, el("span", { class: "away" }, ` ${t("new")}`)) : null;
  const link = el("a", { href: `#/${id}`, class: unread ? "unread" : null, "aria-current": state.channel === id ? "page" : false });
  if (mark.tagName === "IMG") link.append(mark, el("span", {}, name));
  else link.append(el("span", {}, "# ", name));
  if (dot) link.append(dot);
  return el("li", {}, link);
}

function face(person) {
  return [avatar(person.id), el("span", {}, el("b", {}, person.name), el("small", {}, t(`role_${person.id}`))), el("span", { class: "badge", title: t(`speaks_${person.language}`) }, person.language, el("span", { class: "away" }, ` (${t(`speaks_${person.language}`)})`))];
}

export function choosePersona(chosen) {
  const pick = (person) =>
    el("button", { type: "button", class: "persona", "data-persona": person.id, "aria-current": person.id === state.persona ? "true" : false, onclick: () => (dialog.close(), chosen(person.id)) }, ...face(person));
  const groups = state.groups.flatMap((group) => [el("h3", {}, group), ...[...state.people.values()].filter((one) => one.group === group).map(pick)]);
  const dialog = el("dialog", { "aria-labelledby": "people-title", onclose: () => dialog.remove(), onclick: (event) => event.target === dialog && dialog.close() }, el("div", { class: "sheet" }, el("div", { class: "head" }, el("h2", { id: "people-title" }, t("people")), iconButton("close", t("close"), () => dialog.close())), el("div", { class: "body people" }, ...groups)));
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("[aria-current]")?.focus();
}
