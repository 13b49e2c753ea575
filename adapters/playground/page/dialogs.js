// Dialogs: forms with errors beside their fields, questions before something is sent or lost, and toasts.

import { Problem, post } from "./api.js";
import { $, el, iconButton } from "./dom.js";
import { fieldOf } from "./fields.js";
import { keepDialog, state } from "./state.js";
import { t } from "./words.js";

// Says something for a few seconds; `way` is where it leads, as { href, label }.
export function toast(text, way = null) {
  const box = $("#toasts");
  const shown = el("p", { class: "toast", role: "alert" }, text, way && el("a", { href: way.href, onclick: () => shown.remove() }, way.label));
  box.append(shown);
  if (box.showPopover) {
    if (box.matches(":popover-open")) box.hidePopover();
    box.showPopover();
  }
  setTimeout(() => {
    shown.remove();
    if (!box.children.length && box.hidePopover && box.matches(":popover-open")) box.hidePopover();
  }, 6500);
}

export const say = (text) => ($("#status").textContent = text);

export function problemText(problem) {
  const code = problem instanceof Problem ? problem.code : "other";
  if (problem.body?.text) return problem.body.text;
  const known = t(`error_${code}`);
  return known === `error_${code}` ? t("error_other") : known;
}

export function ask(question, yes, no) {
  return new Promise((resolve) => {
    const answer = (value) => () => {
      given = value;
      dialog.close();
    };
    let given = false;
    const dialog = el(
      "dialog",
      { "aria-label": question, onclose: () => (dialog.remove(), resolve(given)) },
      el(
        "div",
        { class: "sheet" },
        el("div", { class: "head" }, el("h2", {}, question)),
        el(
          "div",
          { class: "foot" },
          el("button", { type: "button", onclick: answer(false) }, no),
          el("button", { type: "button", class: "primary", onclick: answer(true) }, yes),
        ),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
  });
}

// Opens a form; resolves with the server's answer once it is sent, or null when it was closed.
// `typed` holds values from before a reload, by name.
export function openForm(form, send = submit, typed = null) {
  return new Promise((resolve) => {
    const back = document.activeElement;
    const fields = form.fields.map((field) => fieldOf({ ...field, value: typed?.[field.name] ?? field.value }));
    const alarm = el("div", { class: "alarm", role: "alert", hidden: true });
    const leave = el("div", { class: "foot", hidden: true, role: "alert" });
    const button = el("button", { type: "submit", class: "primary" }, form.submit);
    let answered = null;
    let allowed = false;
    const values = () => Object.fromEntries(fields.map((one) => [one.name, one.read()]));
    const filled = () => JSON.stringify(values());
    const dialog = el("dialog", { "aria-labelledby": "form-title", lang: form.language, class: "asks" });
    const shut = () => {
      allowed = true;
      keepDialog(null);
      dialog.close();
    };
    const wantsOut = () => {
      if (filled() === before) return shut();
      leave.hidden = false;
      foot.hidden = true;
      leave.querySelector("button").focus();
    };
    leave.append(
      el("p", {}, t("form_leave")),
      el("button", { type: "button", class: "danger", onclick: shut }, t("form_leave_yes")),
      el("button", { type: "button", class: "primary", onclick: () => ((leave.hidden = true), (foot.hidden = false), fields[0]?.focus()) }, t("form_leave_no")),
    );
    const foot = el("div", { class: "foot" }, el("button", { type: "button", onclick: wantsOut }, form.cancel || t("cancel")), button);
    const body = el("form", { novalidate: true, onsubmit: sending }, el("div", { class: "head" }, el("h2", { id: "form-title" }, form.title), iconButton("close", t("close"), wantsOut)), el("div", { class: "body" }, alarm, form.note && el("p", { class: "note" }, form.note), ...fields.map((one) => one.node)), foot, leave);
    dialog.append(body);
    const before = typed ? null : filled();
    body.addEventListener("input", () => keepDialog(form, values()));
    body.addEventListener("change", () => keepDialog(form, values()));

    async function sending(event) {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      alarm.hidden = true;
      try {
        const answer = await send(form, values());
        fields.forEach((one) => one.wrong(answer.errors?.[one.name]));
        if (!answer.errors) {
          answered = answer;
          return shut();
        }
        const wrong = fields.filter((one) => answer.errors[one.name]);
        alarm.textContent = wrong.length ? t(wrong.length === 1 ? "form_errors_one" : "form_errors_many", { n: wrong.length }) : Object.values(answer.errors).join(" ");
        alarm.hidden = false;
        wrong[0]?.focus();
      } catch (problem) {
        alarm.textContent = problemText(problem);
        alarm.hidden = false;
        alarm.scrollIntoView({ block: "nearest" });
      } finally {
        button.disabled = false;
      }
    }
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      wantsOut();
    });
    dialog.addEventListener("close", () => {
      if (!allowed) {
        // The browser may insist on closing at a second Escape: what was typed stays, and we ask again.
        dialog.showModal();
        return wantsOut();
      }
      dialog.remove();
      if (back?.isConnected) back.focus();
      resolve(answered);
    });
    document.body.append(dialog);
    dialog.showModal();
    fields[0]?.focus();
  });
}

const submit = (form, values) => post(`/forms/${form.id}`, { persona: state.persona, values });
