// What this page knows, and where the visitor is. Views register themselves with `changed`.

export const state = {
  persona: "",
  language: "nl",
  people: new Map(),
  groups: [],
  channels: [],
  reactions: [],
  messages: new Map(),
  unread: {},
  channel: "samen-vooruit",
  thread: "",
  now: new Date(),
  since: performance.now(),
  lookAt: "",
  lookUntil: 0,
};

const views = [];
export const onChange = (view) => views.push(view);
export const changed = (what = "all") => views.forEach((view) => view(what));

export const now = () => new Date(state.now.getTime() + performance.now() - state.since);
export function setNow(iso) {
  state.now = new Date(iso);
  state.since = performance.now();
}

export const me = () => state.people.get(state.persona);
export const personalChat = () => `dm-${state.persona}`;
export const isPersonal = (channel) => channel.startsWith("dm-");
export const firstName = (id) => state.people.get(id)?.name.split(" ")[0] ?? id;

const inOrder = (one, other) => one.at.localeCompare(other.at) || one.number - other.number;
const all = () => [...state.messages.values()];
export const repliesTo = (root) => all().filter((said) => said.thread === root && !said.deleted).sort(inOrder);

// What is shown in a channel: messages that are no reply, and deleted ones only while others answered them.
export function inChannel(channel) {
  return all()
    .filter((said) => said.channel === channel && !said.thread)
    .filter((said) => !said.deleted || repliesTo(said.id).length)
    .sort(inOrder);
}

// Small things this browser remembers; without storage the page simply forgets them.
export function recall(name) {
  try {
    return localStorage.getItem(`ritme.${name}`);
  } catch {
    return null;
  }
}
export function keep(name, value) {
  try {
    localStorage.setItem(`ritme.${name}`, value);
  } catch {
    // private mode
  }
}

// A dialog that is being filled in, in this tab only: it survives a reload.
const DRAFT = "ritme.dialog";
export function keepDialog(form, values) {
  try {
    if (form) sessionStorage.setItem(DRAFT, JSON.stringify({ persona: state.persona, form, values }));
    else sessionStorage.removeItem(DRAFT);
  } catch {
    // private mode, or more than the browser keeps
  }
}
export function recallDialog() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(DRAFT) ?? "null");
    return kept?.persona === state.persona ? kept : null;
  } catch {
    return null;
  }
}

// Where people talk in the visitor's own language.
export const HOMES = { nl: "samen-vooruit", en: "night-shift" };
