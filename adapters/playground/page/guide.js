// Four steps for a first visitor: dismissed with one press, opened again from the menu.

import { $, el, iconButton } from "./dom.js";
import { keep, recall } from "./state.js";
import { t } from "./words.js";

const STEPS = [1, 2, 3, 4];
let step = Number(recall("guide.step") ?? 1);
let done = new Set((recall("guide.done") ?? "").split(",").filter(Boolean).map(Number));
let acts = {};

export function guide(doing) {
  acts = doing;
  show(recall("guide") !== "closed");
  $("#guide-open").addEventListener("click", () => {
    show(true);
    acts.open();
    $("#guide h2").focus();
  });
}

export function refresh() {
  const box = $("#guide");
  const tabs = STEPS.map((one) =>
    el("li", {}, el("button", { type: "button", "aria-current": one === step ? "step" : false, class: done.has(one) ? "did" : null, onclick: () => go(one) }, el("b", { "aria-hidden": "true" }, done.has(one) ? "✓" : one), el("span", {}, t(`guide_${one}`)))),
  );
  box.replaceChildren(
    el("h2", { id: "guide-title", tabindex: "-1" }, t("guide_title")),
    iconButton("close", t("guide_close"), () => (show(false), acts.closed())),
    el("p", {}, t("guide_about")),
    el("ol", {}, ...tabs),
    el("div", { class: "now", "aria-live": "polite" }, el("p", {}, t(`guide_${step}_about`)), el("button", { type: "button", class: "primary", onclick: () => acts[step]() }, t(`guide_${step}_do`))),
  );
}

export function did(number) {
  if (done.has(number)) return;
  done.add(number);
  keep("guide.done", [...done].join(","));
  go(STEPS.find((one) => !done.has(one)) ?? number, { quietly: true });
}

// The second step is done by choosing a step and turning the clock after it.
export const planned = () => keep("guide.planned", "yes");
export const turned = () => recall("guide.planned") && did(2);

function go(number, { quietly = false } = {}) {
  step = number;
  keep("guide.step", String(step));
  refresh();
  if (!quietly) $("#guide li [aria-current]").focus();
}

function show(open) {
  $("#guide").hidden = !open;
  keep("guide", open ? "open" : "closed");
}
