// “Preview”: what the recipient gets, in a dialog. The browser itself keeps the focus inside, closes it by Escape and
// gives the focus back.

/** Let the tabs of a part of the page be chosen by pointer and arrows. */
export function startTabs(root: ParentNode): void {
  for (const box of root.querySelectorAll<HTMLElement>("[data-tabs]")) {
    const tabs = [...box.querySelectorAll<HTMLElement>("[role=tab]")];
    const choose = (chosen: HTMLElement): void => {
      for (const tab of tabs) {
        const is = tab === chosen;
        tab.setAttribute("aria-selected", String(is));
        tab.tabIndex = is ? 0 : -1;
        const panel = box.querySelector<HTMLElement>(`#${tab.getAttribute("aria-controls")}`);
        if (panel) panel.hidden = !is;
      }
    };
    tabs.forEach((tab, at) => {
      tab.addEventListener("click", () => choose(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        const next = event.key === "Home" ? tabs[0] : event.key === "End" ? tabs.at(-1) : tabs.at((at + (step ?? 0)) % tabs.length);
        if ((step === undefined && event.key !== "Home" && event.key !== "End") || !next) return;
        event.preventDefault();
        choose(next);
        next.focus();
      });
    });
    const [first] = tabs;
    if (first) choose(first);
  }
}

export class Preview {
  private readonly dialog: HTMLDialogElement;
  private readonly body: HTMLElement;
  private readonly url: string;

  constructor(dialog: HTMLDialogElement, url: string) {
    const body = dialog.querySelector<HTMLElement>("[data-body]");
    if (!body) throw new Error("a dialog without a body");
    this.dialog = dialog;
    this.body = body;
    this.url = url;
    dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }

  /** Open it at once and fill it when `saved` has settled: the server shows what it has. */
  async open(saved: Promise<boolean>): Promise<void> {
    this.say("Putting it together …");
    if (!this.dialog.open) this.dialog.showModal();
    if (!(await saved)) {
      this.say("It cannot be shown, because your last changes are not saved yet. They are kept here; try again in a moment.");
      return;
    }
    await this.load(this.url);
  }

  private async load(address: string): Promise<void> {
    const url = new URL(address, location.href);
    url.searchParams.set("part", "");
    try {
      const response = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" } });
      if (response.redirected) this.say("You are signed out. Sign in again in another tab; the text is kept here.");
      else if (!response.ok) this.say("The server could not put it together. Try again in a moment.");
      else {
        this.body.innerHTML = await response.text();
        startTabs(this.body);
        this.startCopies();
      }
    } catch {
      this.say("There is no connection to the server. Try again in a moment.");
    }
  }

  /** Other copies, and the search for one, stay in the dialog. */
  private startCopies(): void {
    for (const link of this.body.querySelectorAll<HTMLAnchorElement>("a[data-preview]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        const label = link.textContent;
        void this.load(link.href).then(() => {
          const same = [...this.body.querySelectorAll<HTMLElement>("a[data-preview]")];
          (same.find((one) => one.textContent === label) ?? same[0])?.focus();
        });
      });
    }
    const search = this.body.querySelector<HTMLFormElement>("form[data-preview]");
    search?.addEventListener("submit", (event) => {
      event.preventDefault();
      const url = new URL(search.action);
      for (const [name, value] of new FormData(search)) url.searchParams.set(name, String(value));
      void this.load(url.href).then(() => this.body.querySelector<HTMLElement>("#preview-q")?.focus());
    });
  }

  private say(text: string): void {
    const line = document.createElement("p");
    line.className = "dialog-wait soft";
    line.setAttribute("role", "status");
    line.textContent = text;
    this.body.replaceChildren(line);
  }
}
