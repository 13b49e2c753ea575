// What the server answered: a message, a dialog, or nothing to say.

import { openForm } from "./dialogs.js";
import { changed, state } from "./state.js";

// Answers and live updates may cross each other: the later state of a message stands.
export function put(said) {
  const known = state.messages.get(said.id);
  if (!known || known.revision <= said.revision) state.messages.set(said.id, said);
}

export function take(answer) {
  for (const said of [answer.message, answer.reply]) if (said) put(said);
  changed("messages");
  if (answer.form) openForm(answer.form).then((next) => next && take(next));
}
