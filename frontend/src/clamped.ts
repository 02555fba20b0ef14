// A heading that is cut short says the whole on hovering.

export function startClamped(): void {
  for (const heading of document.querySelectorAll<HTMLElement>(".page-head h1")) {
    if (heading.scrollHeight > heading.clientHeight + 1) heading.title = heading.textContent ?? "";
  }
}
