// A text and its entities → nodes. Offsets are in UTF-16 units, which is how JavaScript counts too.

import { h } from "./dom.js";

const PLAIN = {
  bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code",
};
const BLOCKS = new Set(["pre", "blockquote", "expandable_blockquote"]);

/** `acts` has `command(text)` and `open(url)`; `t` the words. */
export function formatted(text, entities, t, acts) {
  const sorted = [...(entities || [])].sort((a, b) => a.offset - b.offset || b.length - a.length);
  return part(text, 0, text.length, sorted, t, acts);
}

/** The nodes of text[from, to); `entities` lie in it, sorted, the outer before the inner. */
function part(text, from, to, entities, t, acts) {
  const nodes = [];
  let at = from;
  for (let i = 0; i < entities.length; i += 1) {
    const entity = entities[i];
    const start = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    if (start >= end) continue;
    const inner = [];
    while (i + 1 < entities.length && entities[i + 1].offset < end) inner.push(entities[(i += 1)]);
    const block = BLOCKS.has(entity.type);
    // a block begins on a line of its own: the line breaks around it are its edges
    let before = text.slice(at, start);
    if (block) before = before.replace(/\n$/, "");
    if (before) nodes.push(before);
    nodes.push(wrapped(entity, text.slice(start, end), part(text, start, end, inner, t, acts), t, acts));
    at = end;
    if (block && text[at] === "\n" && at < to) at += 1;
    // what reaches beyond its parent goes on after it
    const late = inner.filter((each) => each.offset + each.length > end);
    entities.splice(i + 1, 0, ...late.map((each) => ({ ...each, offset: end, length: each.offset + each.length - end })));
  }
  if (at < to) nodes.push(text.slice(at, to));
  return nodes;
}

function wrapped(entity, text, inside, t, acts) {
  if (PLAIN[entity.type]) return h(PLAIN[entity.type], {}, inside);
  switch (entity.type) {
    case "pre":
      return h("pre", { tabindex: "0" }, h("code", {}, inside));
    case "spoiler":
      return spoiler(inside, t);
    case "blockquote":
      return h("blockquote", {}, inside);
    case "expandable_blockquote":
      return expandable(inside, t);
    case "text_link":
      return link(entity.url, inside, acts);
    case "url":
      return link(/^[a-z]+:\/\//i.test(text) ? text : `https://${text}`, inside, acts);
    case "email":
      return h("a", { href: `mailto:${text}` }, inside);
    case "phone_number":
      return h("a", { href: `tel:${text}` }, inside);
    case "bot_command":
      return h("button", { type: "button", class: "link", onclick: () => acts.command(text) }, inside);
    case "mention":
    case "text_mention":
    case "hashtag":
    case "cashtag":
      return h("span", { class: "mention" }, inside);
    default:
      return h("span", {}, inside);
  }
}

function link(url, inside, acts) {
  const opens = (event) => {
    event.preventDefault();
    acts.open(url);
  };
  return h("a", { href: url, target: "_blank", rel: "noreferrer noopener", onclick: opens }, inside);
}

/** Hidden until asked for, from eyes and ears alike. */
function spoiler(inside, t) {
  const hidden = h("span", { class: "spoiler-text", "aria-hidden": "true" }, inside);
  const cover = h("button", {
    type: "button", class: "spoiler", "aria-label": t("demo.spoiler"), title: t("demo.spoiler"),
    onclick: () => cover.replaceWith(h("span", { class: "revealed" }, ...hidden.childNodes)),
  }, hidden);
  return cover;
}

function expandable(inside, t) {
  const clamped = h("div", { class: "clamped" }, inside);
  const quote = h("blockquote", { class: "expandable" }, clamped);
  const toggle = h("button", {
    type: "button", class: "link small", "aria-expanded": "false",
    onclick: () => {
      const open = quote.classList.toggle("open");
      toggle.setAttribute("aria-expanded", String(open));
      toggle.textContent = t(open ? "demo.quote.less" : "demo.quote.more");
    },
  }, t("demo.quote.more"));
  quote.append(toggle);
  // once it is laid out: a quote that fits needs no button
  requestAnimationFrame(() => { toggle.hidden = clamped.scrollHeight <= clamped.clientHeight + 1; });
  return quote;
}
