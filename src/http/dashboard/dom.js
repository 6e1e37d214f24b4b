// Elements. Text always goes in as text: nothing here, or anywhere else, takes markup.

const SVG = 'http://www.w3.org/2000/svg';

/** An element: `h('a.quiet', { href }, 'text', child, …)`. Empty children are left out. */
export function h(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  return fill(document.createElement(tag), classes, attributes, children);
}

/** The same in SVG. */
export function svg(what, attributes = {}, ...children) {
  const [tag, ...classes] = what.split('.');
  return fill(document.createElementNS(SVG, tag), classes, attributes, children);
}

function fill(element, classes, attributes, children) {
  for (const name of classes) element.classList.add(name);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  put(element, children);
  return element;
}

/** Appends children: nodes, texts, lists of them. */
export function put(element, children) {
  for (const child of [children].flat(Infinity)) {
    if (child instanceof Node) element.append(child);
    else if (child != null && child !== false && child !== '') element.append(String(child));
  }
}

/** Exchanges what is in `element`; what had the focus has it afterwards, if it has a `data-key`. */
export function replace(element, ...children) {
  const held = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  element.replaceChildren();
  put(element, children);
  if (held) element.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

/** A name of the database, to be put where it may break: behind a dot or an underscore rather than within a word. */
export function breakable(name) {
  return name.split(/(?<=[._])/).flatMap((part, at) => (at ? [h('wbr'), part] : [part]));
}

/** Tells people who don't see the page. */
export function say(text) {
  document.getElementById('said').textContent = text;
}
