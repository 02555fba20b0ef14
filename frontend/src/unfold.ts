// An address that names a connection (`/integration#connection-ID`) shows it: its line among many is unfolded, and the
// keyboard is where it is. Links of mails, of the API and the way back from a button all lead there.

function focus(element: HTMLElement): void {
  element.scrollIntoView({ block: "center" });
  element.focus({ preventScroll: true });
}

function show(target: HTMLElement): void {
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    focus(target.querySelector("summary") ?? target);
    return;
  }
  const heading = target.querySelector<HTMLElement>("h2") ?? target;
  heading.tabIndex = -1;
  focus(heading);
}

function go(): void {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.matches(".connection, .connection-line")) {
    show(target);
    return;
  }
  // A search by address that came as a link, and left one line: it is the one that was meant.
  const found = document.querySelectorAll<HTMLDetailsElement>("#cards > .connection, #cards .connection-line");
  const [only] = found;
  if (found.length === 1 && only instanceof HTMLDetailsElement && new URLSearchParams(location.search).has("q")) {
    only.open = true;
  }
}

export function startUnfold(): void {
  addEventListener("hashchange", go);
  if (document.readyState === "complete") {
    go();
    return;
  }
  // What a line holds is fetched when it is opened, by htmx, which listens from then on.
  document.addEventListener("DOMContentLoaded", go);
  // The browser goes to the address by itself as the page is complete, and takes the keyboard away; unless somebody has
  // put it elsewhere meanwhile, it comes back.
  addEventListener("load", () => {
    requestAnimationFrame(() => {
      setTimeout(() => {
        if (document.activeElement === null || document.activeElement === document.body) go();
      });
    });
  });
}
