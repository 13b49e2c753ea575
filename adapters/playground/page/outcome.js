// What the server answered: a message, a dialog, or nothing to say.

import { openForm } from "./dialogs.js";
import { did, planned } from "./guide.js";
import { changed, keepDialog, recallDialog, state } from "./state.js";

// Answers and live updates may cross each other: the later state of a message stands.
export function put(said) {
  const known = state.messages.get(said.id);
  if (!known || known.revision <= said.revision) state.messages.set(said.id, said);
}

// What follows from an answer (a post for everyone) comes right after it, and should not push it out of sight.
const SETTLES = 2500;

export function take(answer) {
  for (const said of [answer.message, answer.reply]) if (said) put(said);
  if (answer.reply?.said.buttons.some((button) => button.name === "not_now")) did(1);
  if (answer.reply) Object.assign(state, { lookAt: answer.reply.id, lookUntil: performance.now() + SETTLES });
  if (answer.forgotten) keepDialog(null);
  changed("messages");
  if (answer.form) open(answer.form);
}

// A dialog that was half filled in when the page was reloaded.
export function reopen() {
  const kept = recallDialog();
  if (kept) open(kept.form, kept.values);
}

function open(form, typed = null) {
  openForm(form, undefined, typed).then((next) => {
    if (!next) return;
    if (form.intent === "step.save") planned();
    if (form.intent === "connect.look") did(4);
    take(next);
  });
}
