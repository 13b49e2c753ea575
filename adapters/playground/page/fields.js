// The questions of a form, with what is wrong said beside them.

import { el } from "./dom.js";
import { firstName, state } from "./state.js";
import { fullDay, t } from "./words.js";

const MOST_RADIOS = 8;
let count = 0;

export function fieldOf(field) {
  const id = `field-${(count += 1)}-${field.name}`;
  const options = field.options.length ? field.options : offered(field);
  const several = field.kind === "choices" || field.kind === "people";
  const radios = !several && options.length && options.length <= MOST_RADIOS && field.required;
  const wrong = el("p", { class: "wrong", id: `${id}-wrong`, hidden: true });
  const hint = field.hint ? el("p", { class: "hint", id: `${id}-hint` }, field.hint) : null;
  const label = [field.label, !field.required && el("span", { class: "optional" }, ` · ${t("form_optional")}`)];
  const described = `${hint ? `${id}-hint ` : ""}${id}-wrong`;
  const common = { id, name: field.name, "aria-describedby": described, "aria-required": field.required ? "true" : false };
  let node, inputs, read;
  if (several || radios) {
    const chosen = [field.value].flat();
    inputs = options.map((option) => el("input", { type: several ? "checkbox" : "radio", name: field.name, value: option.value, "aria-describedby": described }));
    inputs.forEach((input) => (input.checked = chosen.includes(input.value)));
    const picks = options.map((option, index) => el("label", { class: "pick" }, inputs[index], el("span", {}, option.label)));
    const most = several && field.max_items < options.length ? el("span", { class: "optional" }, ` · ${t("form_most", { n: field.max_items })}`) : null;
    node = el("fieldset", { class: "field", "aria-describedby": described }, el("legend", {}, ...label, most), hint, el("div", { class: several ? "picks two" : "picks" }, ...picks), wrong);
    read = () => {
      const on = inputs.filter((input) => input.checked).map((input) => input.value);
      return several ? on : (on[0] ?? "");
    };
  } else {
    const input = inputOf(field, options, common);
    inputs = [input];
    const length = field.kind === "long_text" ? el("p", { class: "count", "aria-hidden": "true" }) : null;
    if (length) {
      const tell = () => {
        length.textContent = `${[...input.value].length} / ${field.max_length}`;
        length.classList.toggle("over", [...input.value].length > field.max_length);
      };
      input.addEventListener("input", tell);
      tell();
    }
    const spelled = field.kind === "date" ? el("p", { class: "hint", "aria-live": "polite" }) : null;
    if (spelled) {
      const tell = () => (spelled.textContent = input.value ? fullDay(new Date(`${input.value}T12:00:00Z`)) : "");
      input.addEventListener("input", tell);
      tell();
    }
    node = el("div", { class: "field" }, el("label", { for: id }, ...label), hint, input, length, spelled, wrong);
    read = () => input.value;
  }
  return {
    name: field.name,
    label: field.label,
    node,
    read,
    focus: () => (inputs.find((input) => input.checked) ?? inputs[0])?.focus(),
    wrong(text) {
      wrong.textContent = text ?? "";
      wrong.hidden = !text;
      for (const input of inputs) text ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
    },
  };
}

function inputOf(field, options, common) {
  const value = [field.value].flat()[0] ?? "";
  if (options.length || ["choice", "person", "place"].includes(field.kind)) {
    return el("select", { ...common, value }, el("option", { value: "" }, t("form_choose")), ...options.map((option) => el("option", { value: option.value, selected: option.value === value }, option.label)));
  }
  if (field.kind === "long_text") return el("textarea", { ...common, rows: 4, placeholder: field.example, value });
  if (field.kind === "date") return el("input", { ...common, type: "date", min: field.earliest, max: field.latest, value });
  if (field.kind === "time") return el("input", { ...common, type: "time", value });
  return el("input", { ...common, type: "text", placeholder: field.example, autocomplete: "off", value });
}

// Other people; oneself only where that was chosen before.
function offered({ kind, value }) {
  const others = (id) => id !== state.persona || [value].flat().includes(id);
  if (kind === "person" || kind === "people") return [...state.people.keys()].filter(others).map((id) => ({ value: id, label: firstName(id) }));
  if (kind === "place") return state.channels.map((one) => ({ value: one.id, label: `#${one.name}` }));
  return [];
}
