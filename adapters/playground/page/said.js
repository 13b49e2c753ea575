// What Ritme says, from paragraphs of plain text.

import { el } from "./dom.js";

export function paragraphs(message) {
  const made = [];
  let items = null;
  for (const paragraph of message.paragraphs) {
    const spans = paragraph.spans.map((span) => (span.bold ? el("strong", {}, span.text) : span.italic ? el("em", {}, span.text) : span.text));
    if (paragraph.kind === "item") {
      if (!items) made.push((items = el("ul")));
      items.append(el("li", {}, ...spans));
      continue;
    }
    items = null;
    made.push(paragraph.kind === "quote" ? el("blockquote", {}, ...spans) : el("p", { class: paragraph.kind === "small" ? "small" : null }, ...spans));
  }
  return made;
}
