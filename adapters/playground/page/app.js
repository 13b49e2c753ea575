// The playground: puts the pieces together, follows the address, and keeps in touch with the server.

import { get, listen, post } from "./api.js";
import { clock, look, lookAgain, tell, turn } from "./clock.js";
import { composer } from "./composer.js";
import { say, toast } from "./dialogs.js";
import { $, el, follow, glyph } from "./dom.js";
import { guide, refresh as refreshGuide } from "./guide.js";
import { attempt, authorName, messageNode, signature } from "./message.js";
import { put, reopen } from "./outcome.js";
import { choosePersona, rooms } from "./rooms.js";
import { HOMES, changed, inChannel, isPersonal, keep, me, now, onChange, personalChat, recall, repliesTo, setNow, state } from "./state.js";
import { day, dayKey, speak, spoken, t } from "./words.js";

const narrow = matchMedia("(max-width: 760px)");
const compact = matchMedia("(max-width: 1120px)");
const talk = composer($("#composer"), "channel", () => "");
const threadTalk = composer($("#thread-composer"), "thread", () => state.thread);
let stream = null;
let connected = true;

// -- where one is -----------------------------------------------------------------------------------------------------

function followAddress() {
  const [, channel = "", thread = ""] = location.hash.split("/");
  const known = state.channels.some((one) => one.id === channel) || channel === personalChat();
  const before = `${state.channel}/${state.thread}`;
  if (known) {
    state.channel = channel;
    state.thread = state.messages.has(thread) ? thread : "";
  } else if (isPersonal(state.channel)) state.channel = personalChat();
  const rooms = narrow.matches && location.hash === "#/";
  const pane = channel === "-" ? "side" : rooms ? "rooms" : state.thread ? "thread" : "talk";
  document.body.dataset.pane = pane;
  for (const one of [$("#thread"), $("#side")]) one.setAttribute("role", one.id === pane && narrow.matches ? "main" : "complementary");
  if (pane !== "thread" && !known) state.thread = "";
  const moved = before !== `${state.channel}/${state.thread}`;
  changed(moved ? "place" : "pane");
  if (moved && state.thread) $("#thread-title").focus({ preventScroll: true });
  read();
}

const home = () => `#/${state.channel}`;
const go = (address) => (location.hash === address ? followAddress() : (location.hash = address));

// -- showing ----------------------------------------------------------------------------------------------------------

function show(what) {
  if (what === "all" || what === "place" || what === "pane" || what === "rooms") rooms();
  if (what === "rooms") return;
  title();
  list($("#messages"), inChannel(state.channel), what, false);
  const root = state.messages.get(state.thread);
  $("#thread").hidden = !root;
  if (root) list($("#replies"), [root, ...repliesTo(root.id)], what, true);
  talk.refresh();
  threadTalk.refresh();
  for (const back of document.querySelectorAll("[data-back]")) back.setAttribute("href", home());
}

function title() {
  const personal = isPersonal(state.channel);
  const channel = state.channels.find((one) => one.id === state.channel);
  $("#talk-title").textContent = personal ? t("name") : `#${channel?.name ?? ""}`;
  $("#talk-topic").textContent = t(personal ? "topic_personal" : `topic_${state.channel.replaceAll("-", "_")}`);
  $("#thread-place").textContent = personal ? "" : `#${channel?.name ?? ""}`;
}

function list(box, messages, what, inThread) {
  const scroll = box.parentElement;
  const place = `${state.persona}/${state.channel}/${inThread ? state.thread : ""}`;
  const fresh = box.dataset.place !== place;
  const low = fresh || scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 90;
  if (fresh) {
    box.setAttribute("aria-live", "off");
    box.replaceChildren();
    box.dataset.place = place;
  }
  const rows = [];
  let last = "";
  for (const said of messages) {
    const on = dayKey(new Date(said.at));
    if (on !== last) rows.push({ day: said.at, key: `day-${on}` });
    last = on;
    rows.push({ said, key: said.id });
  }
  if (!rows.length) rows.push({ empty: true, key: "empty" });
  follow(box, rows, (row) => row.key, (row) => (row.said ? signature(row.said, inThread) : JSON.stringify([row, spoken(), dayKey(now()), state.channel])), (row) => rowNode(row, inThread));
  for (const one of box.querySelectorAll("article")) one.tabIndex = -1;
  const lastOne = box.querySelector("article:last-of-type");
  if (lastOne) lastOne.tabIndex = 0;
  const looked = performance.now() < state.lookUntil && [...box.children].find((node) => node.dataset.key === state.lookAt);
  if (low || looked) requestAnimationFrame(() => settle(scroll, looked));
  if (fresh) setTimeout(() => box.setAttribute("aria-live", "polite"), 300);
}

// Down to the newest, but never past the answer one waits for.
function settle(scroll, looked) {
  scroll.scrollTop = scroll.scrollHeight;
  if (looked && looked.getBoundingClientRect().top < scroll.getBoundingClientRect().top) looked.scrollIntoView({ block: "start" });
}

function rowNode(row, inThread) {
  if (row.empty) return el("p", { class: "empty" }, t(isPersonal(state.channel) ? "empty_personal" : "empty_channel"));
  if (row.day) return el("p", { class: "day" }, el("span", {}, day(new Date(row.day), now())));
  return messageNode(row.said, { inThread });
}

// With the arrows one walks from message to message.
for (const box of [$("#messages"), $("#replies")]) {
  box.addEventListener("keydown", (event) => {
    const here = event.target.closest("article");
    if (event.target !== here || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const all = [...box.querySelectorAll("article")];
    const next = all[all.indexOf(here) + (event.key === "ArrowUp" ? -1 : 1)];
    if (!next) return;
    event.preventDefault();
    here.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

// -- reading and hearing ----------------------------------------------------------------------------------------------

const lookingAt = (channel) => channel === state.channel && !document.hidden && $("#talk").checkVisibility();

let reading = 0;
function read() {
  if (!state.unread[state.channel] || !lookingAt(state.channel)) return;
  clearTimeout(reading);
  reading = setTimeout(() => {
    delete state.unread[state.channel];
    rooms();
    post("/read", { persona: state.persona, channel: state.channel }).catch(() => {});
  }, 600);
}

function heard(kind, data) {
  if (kind === "ready" || kind === "activity") return lookAgain();
  if (kind === "clock") {
    setNow(data.now);
    return tell();
  }
  if (data.author === "ritme") lookAgain();
  const known = state.messages.has(data.id);
  put(data);
  if (!known && data.author !== state.persona && !data.deleted) {
    state.unread[data.channel] = (state.unread[data.channel] ?? 0) + 1;
    if (!lookingAt(data.channel)) {
      rooms();
      if (isPersonal(data.channel)) toast(t("ritme_wrote"), { href: `#/${data.channel}`, label: t("read_it") });
      else say(`${authorName(data)}: ${t("new")}`);
    }
    read();
  }
  changed("messages");
}

async function online(is) {
  const back = is && !connected;
  connected = is;
  $("#offline").hidden = is;
  $("#offline").textContent = is ? "" : t("offline");
  if (!back) return;
  if (!(await attempt(refetch))) return;
  changed();
  lookAgain();
  say(t("online"));
}

async function refetch() {
  const seen = await get(`/state?persona=${state.persona}`);
  state.people = new Map(seen.personas.map((one) => [one.id, one]));
  Object.assign(state, { groups: seen.groups, channels: seen.channels, reactions: seen.reactions, unread: seen.unread });
  state.messages = new Map(seen.messages.map((said) => [said.id, said]));
}

async function be(persona, first = false) {
  const personal = isPersonal(state.channel);
  state.persona = persona;
  await refetch();
  keep("persona", persona);
  if (personal) state.channel = personalChat();
  state.thread = state.messages.has(state.thread) ? state.thread : "";
  stream?.close();
  stream = listen(persona, heard, online);
  if (first && location.hash) followAddress();
  else go(state.thread ? `#/${state.channel}/${state.thread}` : home());
  changed();
  if (!first) say(`${t("you_are")} ${me().name}`);
}

async function changeLanguage(language) {
  await speak(language, get);
  keep("language", language);
  await post("/language", { persona: state.persona, language });
  me().language = language;
  say(t("language_changed", { name: me().name.split(" ")[0] }));
  refreshGuide();
  tell();
  changed();
  lookAgain();
}

// Opens the thread of the last reminder, where stories are gathered.
function tellAStory() {
  const channel = HOMES[spoken()];
  const asked = inChannel(channel).findLast((said) => said.author === "ritme" && !said.private);
  go(asked ? `#/${channel}/${asked.id}` : `#/${channel}`);
  setTimeout(() => (asked ? threadTalk : talk).focus(), 100);
}

// -- beginning --------------------------------------------------------------------------------------------------------

function placeClock() {
  (compact.matches ? $("#clock-place") : $("#rooms")).append($("#clock"));
  if (!compact.matches) $("#rooms").append($("#rooms .ways"));
}

async function begin() {
  for (const icon of document.querySelectorAll("[data-icon]")) icon.append(glyph(icon.dataset.icon));
  clock();
  placeClock();
  compact.addEventListener("change", placeClock);
  narrow.addEventListener("change", followAddress);
  const language = recall("language") ?? (navigator.language.startsWith("nl") ? "nl" : "en");
  await speak(language, get);
  state.channel = HOMES[language];
  await be(recall("persona") ?? (language === "nl" ? "fatima" : "kwame"), true).catch(() => be("fatima", true));
  guide({
    1: () => (go(home()), talk.say(t("say_stuck"))),
    2: () => (compact.matches ? go("#/-") : null, turn("next")),
    3: tellAStory,
    4: () => (go(home()), talk.say(t("say_connect"))),
    open: () => go(home()),
    closed: () => talk.focus(),
  });
  refreshGuide();
  onChange(show);
  changed();
  for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => attempt(() => changeLanguage(button.dataset.language)));
  $("#persona").addEventListener("click", () => choosePersona((persona) => attempt(() => be(persona))));
  addEventListener("hashchange", followAddress);
  document.addEventListener("visibilitychange", read);
  document.addEventListener("keydown", (event) => event.key === "Escape" && state.thread && !document.querySelector("dialog[open]") && go(home()));
  document.body.removeAttribute("aria-busy");
  await look();
  followAddress();
  reopen();
}

begin().catch((problem) => {
  console.error(problem);
  document.body.removeAttribute("aria-busy");
  toast(t("error_other"));
});
