// Making elements. No markup is ever built from text, so nothing a person or a bot wrote can become an element.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3.500-6.500zM11.500 13.500L20 4",
  attach: "M19 11.500l-7.300 7.300a4.600 4.600 0 0 1-6.500-6.500l7.800-7.800a3 3 0 0 1 4.300 4.300l-7.700 7.700a1.500 1.500 0 0 1-2.100-2.100l6.700-6.700",
  more: "M12 5.500v.01M12 12v.01M12 18.500v.01",
  down: "M6 10l6 6 6-6",
  beside: "M4 5h16v14H4zM12 5v14M15 12h2.500",
  file: "M7 3h7l4 4v14H7zM14 3v4h4",
  link: "M9 7H6v11h11v-3M12 5h7v7M19 5l-8 8",
  copy: "M9 9h10v11H9zM6 15H5V4h10v2",
  window: "M4 5h16v14H4zM4 9h16",
  auto: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  light: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  dark: "M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z",
  envelope: "M4 6h16v12H4zM4 7l8 6 8-6",
  pencil: "M4.500 19.500l1-4.500L16 4.500l3.500 3.500L9 18.500z",
  slash: "M6.500 4h11A2.500 2.500 0 0 1 20 6.500v11a2.500 2.500 0 0 1-2.500 2.500h-11A2.500 2.500 0 0 1 4 17.500v-11A2.500 2.500 0 0 1 6.500 4zM14 8l-4 8",
};

/** An element: attributes, `on…` listeners, children; null and false are left out. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A drawn sign; the control that holds it has the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

/** A button that shows only a sign; its words are its name and its tooltip. */
export function iconButton(sign, words, onclick, more = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": words, title: words, onclick, ...more }, icon(sign));
}

/** The round picture of somebody: initials on a colour of his own. */
export function avatar(name, number) {
  const initials = name.split(/\s+/).filter(Boolean).map((word) => [...word][0]).slice(0, 2).join("").toUpperCase();
  return h("span", { class: `avatar hue-${number % 6}`, "aria-hidden": "true" }, initials || "?");
}

/** The round picture of the bot. */
export function botAvatar() {
  return h("img", { class: "avatar", src: "/page/icon.svg", alt: "", width: "40", height: "40" });
}

/** Whether somebody asked for less motion. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
