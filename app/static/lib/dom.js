// @ts-check
// Creating and finding elements. Strings are always inserted as text, never as HTML.

/**
 * An element with a class and children; strings become text, null is left out.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {string} [className]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, className = "", ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null));
  return node;
}

/**
 * A button that does not submit a form.
 * @param {string} className
 * @param {string} text
 * @param {(event: MouseEvent) => void} [onClick]
 */
export function makeButton(className, text = "", onClick) {
  const button = make("button", className, text || null);
  button.type = "button";
  if (onClick) button.addEventListener("click", onClick);
  return button;
}

/**
 * The first element that matches. Throws if there is none, or if it is of another type.
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} type
 * @returns {T}
 */
export function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (found instanceof type) return found;
  throw new TypeError(`${selector} is ${found ? found.tagName : "nowhere"}, not a ${type.name}`);
}

/**
 * The nearest element from an event's target outwards that matches.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export function closest(event, selector) {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

/**
 * Tell the other components of the page.
 * @param {string} name
 * @param {unknown} [detail]
 */
export function announce(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

/**
 * Hear what another component tells, for as long as `root` is in the page.
 * @param {Element} root
 * @param {string} name
 * @param {(detail: any) => void} then
 */
export function hear(root, name, then) {
  document.addEventListener(name, (event) => {
    if (root.isConnected) then(event instanceof CustomEvent ? event.detail : null);
  });
}
