// Elements from data. Text is always written as text, never as HTML.

const GLYPHS = {
  menu: "M4 7h16M4 12h16M4 17h10",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V5M5.500 11.500L12 5l6.500 6.500",
  react: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500c1 1.300 2.200 2 3.500 2s2.500-.7 3.500-2M9 9.500v.01M15 9.500v.01",
  reply: "M9 7L4 12l5 5M4 12h9c4 0 7 2 7 6",
  edit: "M4 20l1-4L16.500 4.500a2 2 0 0 1 3 3L8 19l-4 1z",
  delete: "M5 7h14M10 7V4.500h4V7M7 7l1 12.500h8L17 7",
};

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "hue") made.style.setProperty("--hue", value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function svg(tag, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

export function glyph(name) {
  const made = svg("svg", { viewBox: "0 0 24 24", class: "glyph", "aria-hidden": "true" });
  made.append(svg("path", { d: GLYPHS[name] }));
  return made;
}

export function iconButton(name, label, onclick, more = {}) {
  return el("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick, ...more }, glyph(name));
}

export const $ = (selector) => document.querySelector(selector);

// Makes the children of `box` follow `items`: nodes are kept while their signature stays the same, and focus stays put.
export function follow(box, items, key, signature, make) {
  const there = new Map([...box.children].map((node) => [node.dataset.key, node]));
  let before = null;
  for (const item of items) {
    const id = key(item);
    const sign = signature(item);
    let node = there.get(id);
    there.delete(id);
    if (!node || node.dataset.sign !== sign) {
      const fresh = make(item);
      fresh.dataset.key = id;
      fresh.dataset.sign = sign;
      if (node) {
        const focused = node.contains(document.activeElement);
        node.replaceWith(fresh);
        if (focused) fresh.focus({ preventScroll: true });
      }
      node = fresh;
    }
    const next = before ? before.nextSibling : box.firstChild;
    if (next !== node) box.insertBefore(node, next);
    before = node;
  }
  for (const node of there.values()) node.remove();
}
