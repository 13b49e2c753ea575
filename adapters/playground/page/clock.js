// The clock and its dial, and what Ritme plans and does.

import { get, post } from "./api.js";
import { say } from "./dialogs.js";
import { $, el, follow, svg } from "./dom.js";
import { turned } from "./guide.js";
import { attempt } from "./message.js";
import { changed, firstName, now, setNow, state } from "./state.js";
import { clockTime, dayKey, fullDay, minutesOfDay, shortTime, spoken, t, when } from "./words.js";

let planned = null;
let turns = 0;
let last = null;
let asked = 0;
let today = "";

export function clock() {
  const face = $("#face");
  face.append(svg("circle", { cx: 50, cy: 50, r: 46, class: "rim" }));
  for (let tick = 0; tick < 12; tick += 1) face.append(svg("line", { x1: 50, y1: 10, x2: 50, y2: tick % 3 ? 13 : 17, class: "tick", transform: `rotate(${tick * 30} 50 50)` }));
  face.append(svg("line", { x1: 50, y1: 54, x2: 50, y2: 29, class: "hand hour" }), svg("line", { x1: 50, y1: 56, x2: 50, y2: 18, class: "hand minute" }), svg("circle", { cx: 50, cy: 50, r: 4, class: "pin" }));
  for (const button of document.querySelectorAll("[data-turn]")) button.addEventListener("click", () => turn(button.dataset.turn));
  setInterval(tell, 2000);
}

export function tell() {
  const moment = now();
  // "Today" above the messages is another day now.
  if (today && today !== dayKey(moment)) changed("messages");
  today = dayKey(moment);
  $("#clock-time").textContent = clockTime(moment);
  $("#clock-day").textContent = fullDay(moment);
  $("#time-chip").textContent = shortTime(moment);
  $("#time-chip").setAttribute("aria-label", `${t("more")}: ${when(moment, moment)}`);
  $("#clock-what").textContent = planned ? t("clock_next_what", { what: planned.what ?? t("kind_other"), when: when(new Date(planned.at), moment) }) : t("clock_none");
  // Hands only ever go forward, so that turning shows time passing.
  const minutes = minutesOfDay(moment);
  if (last !== null && minutes < last) turns += 1;
  last = minutes;
  const total = turns * 1440 + minutes;
  $("#face .hour").style.transform = `rotate(${total / 2}deg)`;
  $("#face .minute").style.transform = `rotate(${total * 6}deg)`;
}

export async function turn(to) {
  const box = $("#clock");
  if (box.getAttribute("aria-busy") === "true") return;
  box.setAttribute("aria-busy", "true");
  say(t("clock_turning"));
  await attempt(async () => {
    const answer = await post(`/clock?language=${spoken()}`, { to });
    setNow(answer.now);
    planned = answer.next;
    turned();
    tell();
    say(t("clock_turned", { when: `${fullDay(now())} ${clockTime(now())}` }));
  });
  box.setAttribute("aria-busy", "false");
}

// Asks again what is planned and done, at most a few times a second.
export function lookAgain() {
  clearTimeout(asked);
  // Without a connection the page says so already, and looks again once it is back.
  asked = setTimeout(() => look().catch((problem) => problem.code === "offline" || console.error(problem)), 200);
}

export async function look() {
  const [time, told] = await Promise.all([get(`/clock?language=${spoken()}`), get(`/activity?language=${spoken()}`)]);
  setNow(time.now);
  planned = time.next;
  tell();
  show($("#planned"), told.planned, "activity_nothing_planned");
  show($("#done"), told.done, "activity_nothing_done");
}

function show(box, rows, nothing) {
  if (!rows.length) return box.replaceChildren(el("li", { class: "small" }, t(nothing)));
  follow(box, rows, (row) => row.id, (row) => JSON.stringify([row, spoken(), when(new Date(row.at), now())]), happening);
}

function happening(row) {
  const channel = state.channels.find((one) => one.id === row.channel);
  const to = row.persona ? t("to_person", { name: firstName(row.persona) }) : channel ? t("to_channel", { name: channel.name }) : "";
  return el("li", { class: `happening ${row.state}` }, el("div", {}, el("div", { class: "what" }, `${row.what} ${to}`), el("p", {}, `${t(`state_${row.state}`)} · ${when(new Date(row.at), now())}`, row.why && el("em", {}, ` · ${row.why}`))));
}
