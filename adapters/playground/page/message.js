// One message: who, what, buttons, reactions, and what can be done with it.

import { Problem, patch, post, put, remove } from "./api.js";
import { ask, problemText, toast } from "./dialogs.js";
import { el, glyph, iconButton } from "./dom.js";
import { did } from "./guide.js";
import { take } from "./outcome.js";
import { paragraphs } from "./said.js";
import { changed, firstName, isPersonal, now, repliesTo, state } from "./state.js";
import { clockTime, day, list, t } from "./words.js";

export const EMOJI = { seedling: "🌱", ocean: "🌊", heart: "❤️", clap: "👏", smile: "🙂", "+1": "👍" };
const nameOf = (reaction) => t(reaction === "+1" ? "plus" : reaction);
const by = () => `?persona=${state.persona}`;
const openReplies = (said) => repliesTo(said.id).filter((reply) => !reply.private).length;
let editing = "";

export function avatar(id) {
  if (id === "ritme") return el("img", { class: "avatar", src: "/playground/static/ritme.svg", alt: "" });
  const name = state.people.get(id)?.name ?? id;
  const index = [...state.people.keys()].indexOf(id);
  const initials = name.split(" ").filter((part) => /^\p{Lu}/u.test(part)).map((part) => part[0]);
  return el("span", { class: "avatar", hue: (index * 47 + 20) % 360, "aria-hidden": "true" }, `${initials[0]}${initials.at(-1)}`);
}

export const authorName = (said) => (said.author === "ritme" ? t("name") : (state.people.get(said.author)?.name ?? said.author));

// What a message looks like depends on all of this; while it stays the same, its node is kept.
export function signature(said, inThread) {
  const replies = inThread ? 0 : openReplies(said);
  return JSON.stringify([said, replies, state.persona, document.documentElement.lang, editing === said.id]);
}

export function messageNode(said, { inThread = false } = {}) {
  if (said.deleted) return el("article", { class: "message", tabindex: "-1" }, el("span"), el("div", {}, el("p", { class: "gone" }, t("deleted")), under(said, inThread)));
  const moment = new Date(said.at);
  const who = el("p", { class: "who" }, el("b", {}, authorName(said)), said.author === "ritme" && el("span", { class: "app" }, t("bot")), el("time", { datetime: said.at, title: `${day(moment, now())} ${clockTime(moment)}` }, clockTime(moment)), said.edited && el("span", {}, t("edited")));
  const only = said.private && el("p", { class: "only" }, el("span", {}, t("only_you")), el("button", { type: "button", class: "quiet", onclick: () => away(said) }, t("hide")));
  const content = said.said ? spoken(said) : editing === said.id ? rewrite(said) : el("p", { class: "typed" }, said.text);
  return el("article", { class: `message${said.private ? " private" : ""}`, tabindex: "-1", "aria-label": `${authorName(said)}, ${clockTime(moment)}` }, only, avatar(said.author), el("div", {}, who, content, under(said, inThread)), tools(said, inThread));
}

function spoken(said) {
  const buttons = said.said.buttons.map((button) => button.url ? el("a", { class: `button ${button.style}`, href: button.url, target: "_blank", rel: "noreferrer", "data-button": button.name }, button.label) : el("button", { type: "button", class: button.style, "data-button": button.name, onclick: (event) => press(said, button, event.currentTarget) }, button.label));
  const file = said.file && el("p", {}, el("a", { class: "file", href: `/playground/api/messages/${said.id}/file${by()}&language=${said.said.language}`, target: "_blank", rel: "noreferrer" }, said.file.label));
  const picture = said.picture && el("img", { class: "picture", src: `/playground/api/messages/${said.id}/picture${by()}&revision=${said.revision}`, alt: said.picture.text });
  return el("div", { class: "said", lang: said.said.language }, ...paragraphs(said.said), picture, file, buttons.length ? el("div", { class: "presses" }, ...buttons) : null);
}

async function press(said, button, node) {
  const confirm = button.confirm;
  if (confirm && !(await ask(confirm.question, confirm.yes, confirm.no))) return;
  node.disabled = true;
  await attempt(async () => {
    if (button.name === "invite") did(4);
    take(await post(`/messages/${said.id}/press`, { persona: state.persona, button: button.name }));
  });
  node.disabled = false;
}

function under(said, inThread) {
  const reactions = Object.entries(said.reactions).map(([reaction, who]) => {
    const names = list(who.map((id) => (id === "ritme" ? t("name") : id === state.persona ? t("you") : firstName(id))));
    const mine = who.includes(state.persona);
    const label = t("reacted", { what: nameOf(reaction), names });
    return el("button", { type: "button", class: "reaction", "aria-pressed": String(mine), "aria-label": label, title: label, onclick: () => react(said, reaction, !mine) }, `${EMOJI[reaction] ?? reaction} ${who.length}`);
  });
  const count = inThread ? 0 : openReplies(said);
  const replies = count ? el("a", { class: "replies", href: `#/${said.channel}/${said.id}` }, count === 1 ? t("replies_one") : t("replies_many", { n: count })) : null;
  return el("div", { class: "under" }, ...reactions, replies);
}

function tools(said, inThread) {
  const name = authorName(said);
  const mine = said.author === state.persona;
  const made = [];
  if (!said.private) made.push(iconButton("react", t("react_to", { name }), (event) => palette(said, event.currentTarget), { "aria-expanded": "false" }));
  if (!said.private && !inThread && !isPersonal(said.channel)) made.push(el("a", { class: "icon", href: `#/${said.channel}/${said.id}`, "aria-label": t("reply_to", { name }), title: t("reply") }, glyph("reply")));
  if (mine) made.push(iconButton("edit", t("edit"), () => ((editing = said.id), changed("messages"))), iconButton("delete", t("delete"), () => takeAway(said)));
  return made.length ? el("div", { class: "tools" }, ...made) : null;
}

function palette(said, button) {
  const article = button.closest("article");
  if (article.querySelector(".palette")) return button.focus();
  let open = true;
  const shut = () => {
    if (!open) return;
    open = false;
    box.remove();
    button.setAttribute("aria-expanded", "false");
  };
  const leave = () => (button.focus(), shut());
  const choose = (reaction) => () => {
    leave();
    react(said, reaction, !(said.reactions[reaction] ?? []).includes(state.persona));
  };
  const offered = state.reactions.map((reaction) => el("button", { type: "button", "aria-label": nameOf(reaction), title: nameOf(reaction), onclick: choose(reaction) }, EMOJI[reaction]));
  const box = el("div", { class: "palette", role: "group", "aria-label": t("react") }, ...offered);
  box.addEventListener("keydown", (event) => event.key === "Escape" && (event.stopPropagation(), leave()));
  box.addEventListener("focusout", (event) => box.contains(event.relatedTarget) || event.relatedTarget === button || shut());
  article.append(box);
  button.setAttribute("aria-expanded", "true");
  box.firstChild.focus();
}

function rewrite(said) {
  const text = el("textarea", { value: said.text, "aria-label": t("edit"), rows: 3 });
  const done = () => ((editing = ""), changed("messages"));
  const save = async (event) => {
    event.preventDefault();
    if (!text.value.trim() || text.value.trim() === said.text) return done();
    await attempt(async () => {
      take(await patch(`/messages/${said.id}`, { persona: state.persona, text: text.value }));
      done();
    });
  };
  const form = el("form", { class: "rewrite", onsubmit: save, onkeydown: (event) => (event.key === "Escape" ? done() : event.key === "Enter" && !event.shiftKey && save(event)) }, text, el("div", {}, el("button", { class: "primary" }, t("save")), el("button", { type: "button", onclick: done }, t("cancel"))));
  requestAnimationFrame(() => text.focus());
  return form;
}

const react = (said, reaction, add) => attempt(async () => take(await (add ? put : remove)(`/messages/${said.id}/reactions/${encodeURIComponent(reaction)}${by()}`)));
const away = (said) => attempt(async () => take(await remove(`/messages/${said.id}${by()}`)));

async function takeAway(said) {
  if (await ask(t("delete_question"), t("delete"), t("cancel"))) await away(said);
}

export async function attempt(act) {
  try {
    await act();
    return true;
  } catch (problem) {
    if (!(problem instanceof Problem)) console.error(problem);
    toast(problemText(problem));
    return false;
  }
}
