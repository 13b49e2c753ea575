// Where one writes: drafts are kept, and typing "/" shows what Ritme can be asked.

import { post } from "./api.js";
import { say as tell } from "./dialogs.js";
import { el, glyph } from "./dom.js";
import { did } from "./guide.js";
import { attempt } from "./message.js";
import { take } from "./outcome.js";
import { isPersonal, state } from "./state.js";
import { has, t } from "./words.js";

const COMMANDS = ["stuck", "story", "chance", "connect", "nominate", "initiative", "purpose", "rhythm", "lookback", "me", "help"];
const drafts = new Map();

export function composer(form, name, thread) {
  const listId = `${form.id}-list`;
  const text = el("textarea", { rows: 1, "aria-autocomplete": "list", "aria-controls": listId, enterkeyhint: "send", autocomplete: "off", "aria-describedby": `${form.id}-hint` });
  const button = el("button", { type: "submit", class: "icon", disabled: true }, glyph("send"));
  const hint = el("p", { class: "small", id: `${form.id}-hint` });
  const options = el("ul", { role: "listbox", id: listId });
  const title = el("p", { class: "small", "aria-hidden": "true" });
  const box = el("div", { class: "suggestions", hidden: true }, title, options);
  let at = -1;
  let shown = "";
  let busy = false;
  form.append(box, el("div", { class: "box" }, text, button), hint);

  const place = () => `${state.persona}/${state.channel}/${thread()}`;
  const channelName = () => state.channels.find((one) => one.id === state.channel)?.name ?? "";

  function refresh() {
    if (shown !== place()) {
      shown = place();
      text.value = drafts.get(shown) ?? "";
      hide();
    }
    const kind = isPersonal(state.channel) ? "personal" : name;
    text.placeholder = t(`write_${kind}`, { channel: channelName() });
    text.setAttribute("aria-label", kind === "channel" ? t("write_in", { channel: channelName() }) : text.placeholder);
    hint.textContent = t(`reads_${kind}`, { channel: channelName() });
    button.setAttribute("aria-label", t("send"));
    button.title = t("send");
    title.textContent = t("commands");
    options.setAttribute("aria-label", t("commands"));
    button.disabled = !text.value.trim();
  }

  function suggest() {
    const typed = text.value.toLowerCase();
    const fitting = typed.startsWith("/") && !typed.includes("\n") ? COMMANDS.filter((one) => has(`say_${one}`) && t(`say_${one}`).startsWith(typed)) : [];
    if (!fitting.length) return hide();
    options.replaceChildren(...fitting.map((one, index) => el("li", { role: "option", id: `${listId}-${index}`, "data-say": t(`say_${one}`), "aria-selected": "false", onmousedown: (event) => (event.preventDefault(), choose(t(`say_${one}`))) }, el("b", {}, t(`say_${one}`)), el("span", {}, t(`say_${one}_about`)))));
    if (box.hidden) tell(`${t("commands")}: ${fitting.length}`);
    box.hidden = false;
    select(typed.length > 1 ? 0 : -1);
  }

  function select(index) {
    at = index;
    [...options.children].forEach((one, number) => one.setAttribute("aria-selected", String(number === at)));
    if (at < 0) return text.removeAttribute("aria-activedescendant");
    text.setAttribute("aria-activedescendant", `${listId}-${at}`);
    options.children[at].scrollIntoView({ block: "nearest" });
  }

  function hide() {
    box.hidden = true;
    at = -1;
    text.removeAttribute("aria-activedescendant");
  }

  function choose(line) {
    text.value = line;
    hide();
    keepDraft();
    send();
  }

  // Where the browser cannot size a field by its content, we do.
  function grow() {
    if (CSS.supports("field-sizing", "content")) return;
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  }

  function keepDraft() {
    drafts.set(place(), text.value);
    grow();
    button.disabled = !text.value.trim();
  }

  async function send() {
    const line = text.value.trim();
    if (!line || busy) return;
    busy = true;
    const where = place();
    const root = thread();
    const done = await attempt(async () => {
      const answer = await post("/messages", { persona: state.persona, channel: state.channel, text: line, thread: root });
      if (drafts.get(where)?.trim() === line) drafts.delete(where);
      if (where === place()) text.value = drafts.get(where) ?? "";
      if (state.messages.get(root)?.author === "ritme" && !line.startsWith("/")) did(3);
      take(answer);
    });
    busy = false;
    button.disabled = !text.value.trim();
    if (done) form.dispatchEvent(new CustomEvent("sent"));
  }

  text.addEventListener("input", () => (keepDraft(), suggest()));
  text.addEventListener("blur", hide);
  text.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const open = !box.hidden;
    const count = options.children.length;
    if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      select((at + (event.key === "ArrowDown" ? 1 : at < 0 ? count : count - 1)) % count);
    } else if (open && event.key === "Escape") {
      event.stopPropagation();
      hide();
    } else if (open && event.key === "Tab" && at >= 0) {
      event.preventDefault();
      text.value = `${options.children[at].dataset.say} `;
      keepDraft();
      hide();
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (open && at >= 0) choose(options.children[at].dataset.say);
      else hide(), send();
    }
  });
  form.addEventListener("submit", (event) => (event.preventDefault(), send()));
  return { refresh, focus: () => text.focus(), say: choose };
}
