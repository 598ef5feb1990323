// Elements made of values. Text stays text and links are looked at: nothing becomes markup.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "style") {
      for (const [property, setting] of Object.entries(value)) element.style.setProperty(property, setting);
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  const there = children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
  element.append(...there);
  return element;
}

export function html(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
}

/** A link to elsewhere, or plain text where the address is none of the web or of mail. */
export function outwards(address, text = address) {
  const isLink = /^(https?:\/\/|mailto:)/i.test(address);
  return isLink ? html("a", { href: address, rel: "noopener noreferrer" }, text) : text;
}

function copyButton(text, what) {
  const button = html("button", { type: "button", class: "quiet", "aria-label": `Copy ${what}` }, "Copy");
  button.addEventListener("click", async () => {
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      isCopied = false;
    }
    button.textContent = isCopied ? "Copied" : "Select and copy";
    announce(isCopied ? `${what} copied` : `${what} could not be copied`);
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
  return button;
}

export function codeBlock(text, what) {
  return html("div", { class: "code" }, html("pre", { tabindex: 0, "aria-label": what }, html("code", {}, text)), copyButton(text, what));
}

/** Terms and what they are; those without a value are left out. */
export function termList(pairs, attributes = {}) {
  const there = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "" && value.length !== 0);
  return html("dl", attributes, there.map(([term, value]) => html("div", {}, html("dt", {}, term), html("dd", {}, value))));
}

/** A control with its name. */
export function field(name, control) {
  return html("label", { class: "field" }, html("span", {}, name), control);
}

/** A table of lines below its heads; an empty head is no heading. The first cell heads its line. */
export function tableOf(heads, lines, attributes = { class: "plain" }) {
  const cells = heads.map((head) => (head === "" ? html("td") : html("th", { scope: "col" }, head)));
  const cell = (value) => (value instanceof HTMLTableCellElement ? value : html("td", {}, value));
  return html("table", attributes, html("thead", {}, html("tr", {}, cells)),
    html("tbody", {}, lines.map(([head, ...values]) => html("tr", {}, html("th", { scope: "row" }, head), values.map(cell)))));
}

export function section(title, ...children) {
  return html("section", { class: "block" }, html("h3", {}, title), ...children);
}

/** Tell a screen reader what has changed. */
export function announce(text) {
  document.getElementById("announcer").textContent = text;
}
