// Files: chosen, dropped or pasted, each uploaded at once to the draft by a request of its own.
import { csrfToken } from "./csrf.ts";
import { refusal, Row, sizeWords, type Limits, type Stored } from "./files.ts";

// One after the other: they stand in the email in the order in which they were chosen.
const AT_ONCE = 1;

// Kinds that every mail program shows; the server looks at the bytes.
const PICTURES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

export function encoded(name: string): string {
  try {
    return encodeURIComponent(name);
  } catch {
    // Half a character, which a disk may hold and a header cannot.
    return encodeURIComponent(name.replaceAll(/[\ud800-\udfff]/g, "_"));
  }
}

function carries(data: DataTransfer | null): boolean {
  return data?.types.includes("Files") === true;
}

/** A file that somebody wanted and that is not attached: why, and what can be done about it. */
export interface Failure {
  name: string;
  words: string;
  /** Null where another try would end the same. */
  again: (() => void) | null;
  remove: () => void;
}

export class Uploads {
  private readonly form: HTMLFormElement;
  private readonly url: string;
  private readonly limits: Limits;
  private readonly list: HTMLUListElement;
  private readonly template: HTMLTemplateElement;
  private readonly total: HTMLElement;
  private readonly changed: () => void;
  private readonly told: () => void;
  private rows: Row[] = [];
  private leftOut = "";
  /** Pictures on their way into the text, for which Send waits too. */
  pictures = 0;
  /** Takes pictures that were dropped or pasted into the text; null where there is no editor. */
  intoText: ((files: File[], event: ClipboardEvent | DragEvent) => void) | null = null;

  /** `changed` is called when the server has other files than before, `told` whenever a row says something else. */
  constructor(form: HTMLFormElement, url: string, changed: () => void, told: () => void) {
    const list = form.querySelector<HTMLUListElement>("#files");
    const template = form.querySelector<HTMLTemplateElement>("#file-template");
    const total = form.querySelector<HTMLElement>("#files-total");
    if (!list || !template || !total) throw new Error("a page without its list of files");
    this.form = form;
    this.url = url;
    this.changed = changed;
    this.told = told;
    this.limits = { bytes: Number(form.dataset["mostBytes"]), files: Number(form.dataset["mostFiles"]) };
    this.list = list;
    this.template = template;
    this.total = total;
    for (const item of list.querySelectorAll<HTMLLIElement>("li[data-file]")) this.known(item);
    this.listen();
    this.count();
  }

  /** Uploads under way. */
  get pending(): number {
    return this.pictures + this.rows.filter((row) => row.state === "waiting" || row.state === "sending").length;
  }

  /** The files that are not attached, though somebody wanted them. */
  get failures(): Failure[] {
    return this.rows
      .filter((row) => row.state === "failed")
      .map((row) => ({
        name: row.name,
        words: row.words,
        again: this.canTryAgain(row) ? () => this.tryAgain(row) : null,
        remove: () => void this.remove(row),
      }));
  }

  /** Wait until nothing is under way. */
  async settled(): Promise<void> {
    while (this.pending > 0) await new Promise((done) => setTimeout(done, 100));
  }

  /** The draft goes: so does what is on its way to it. */
  abort(): void {
    for (const row of this.rows) row.request?.abort();
  }

  add(files: Iterable<File>): void {
    this.leftOut = "";
    let tooMany = 0;
    for (const file of files) {
      if (this.rows.length >= this.limits.files) tooMany += 1;
      else this.addOne(file);
    }
    if (tooMany > 0) {
      const these = tooMany === 1 ? "1 file was" : `${tooMany} files were`;
      this.leftOut = `${these} left out: an email carries ${this.limits.files} files at most. Put them into one archive (ZIP) and attach that.`;
    }
    this.tell();
    this.next();
  }

  private addOne(file: File): void {
    const item = this.template.content.querySelector("li")?.cloneNode(true);
    if (!(item instanceof HTMLLIElement)) return;
    const row = new Row(item, file.name, file.size);
    row.file = file;
    this.watch(row);
    const refused = refusal(file, this.bytes(), this.limits);
    this.rows.push(row);
    this.list.append(item);
    if (refused) row.show("failed", refused);
    else row.show("waiting", "Waiting …", 0);
  }

  private known(item: HTMLLIElement): void {
    const row = new Row(item, item.querySelector("a")?.textContent ?? "", Number(item.dataset["size"]));
    const link = row.part<HTMLAnchorElement>("a");
    row.stored = {
      id: item.dataset["file"] ?? "",
      name: row.name,
      size: row.size,
      size_words: row.part(".file-state").textContent ?? "",
      url: link.getAttribute("href") ?? "",
    };
    row.state = "stored";
    this.rows.push(row);
    this.watch(row);
  }

  private watch(row: Row): void {
    row.part<HTMLButtonElement>("[data-retry]").addEventListener("click", () => this.tryAgain(row));
    row.part<HTMLButtonElement>(".file-remove").addEventListener("click", (event) => {
      event.preventDefault();
      void this.remove(row);
    });
  }

  private canTryAgain(row: Row): boolean {
    return row.file !== null && !row.final && refusal(row.file, this.bytes(), this.limits) === null;
  }

  private tryAgain(row: Row): void {
    row.show("waiting", "Waiting …", 0);
    this.next();
    this.tell();
    row.part<HTMLButtonElement>(".file-remove").focus();
  }

  private bytes(): number {
    return this.rows.filter((row) => row.state !== "failed").reduce((sum, row) => sum + row.size, 0);
  }

  private next(): void {
    for (const row of this.rows) {
      if (this.rows.filter((one) => one.state === "sending").length >= AT_ONCE) return;
      if (row.state === "waiting") this.send(row);
    }
  }

  private send(row: Row): void {
    const { file } = row;
    if (!file) return;
    const request = new XMLHttpRequest();
    row.request = request;
    row.show("sending", "0 %", 0);
    request.upload.addEventListener("progress", (event) => {
      if (row.state !== "sending" || event.total === 0) return;
      const share = event.loaded / event.total;
      row.show("sending", share < 1 ? `${Math.floor(share * 100)} % of ${sizeWords(file.size)}` : "Storing …", share);
    });
    request.addEventListener("load", () => this.answered(row, request));
    request.addEventListener("error", () => this.failedRow(row, "Not attached: the connection broke."));
    request.addEventListener("timeout", () => this.failedRow(row, "Not attached: the connection broke."));
    request.open("POST", this.url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.setRequestHeader("X-File-Name", encoded(file.name));
    request.setRequestHeader("X-File-Type", /^[\x20-\x7e]*$/.test(file.type) ? file.type : "");
    request.send(file);
  }

  private answered(row: Row, request: XMLHttpRequest): void {
    let body: Partial<Stored> & { sentence?: string } = {};
    try {
      body = JSON.parse(request.responseText) as typeof body;
    } catch {
      // Not our answer: the words below do.
    }
    if (request.status === 201 && body.id) {
      row.stored = body as Stored;
      row.size = row.stored.size;
      row.file = null;
      row.request = null;
      row.show("stored", row.stored.size_words);
      this.after();
      return;
    }
    const signedOut = request.status === 401 || request.status === 403;
    const words = signedOut ? "Not attached: you are signed out. Sign in again in another tab." : body.sentence;
    // What does not fit now does when another file is gone.
    row.final = !signedOut && body.sentence !== undefined && request.status !== 413;
    this.failedRow(row, words ?? `Not attached: the server had an error (${request.status}).`);
  }

  private failedRow(row: Row, words: string): void {
    row.request = null;
    row.show("failed", words);
    this.after();
  }

  private async remove(row: Row): Promise<void> {
    if (row.stored) {
      row.show("stored", "Removing …");
      const gone = await this.forget(row.stored.id);
      if (!gone) {
        row.show("stored", "Could not be removed. Try again in a moment.");
        return;
      }
    }
    row.request?.abort();
    const at = this.rows.indexOf(row);
    const hadFocus = row.item.contains(document.activeElement);
    this.rows.splice(at, 1);
    row.item.remove();
    this.leftOut = "";
    if (hadFocus) {
      const beside = this.rows[Math.min(at, this.rows.length - 1)];
      const next = beside?.item.querySelector<HTMLElement>(".file-remove") ?? this.form.querySelector<HTMLElement>("#attach-button");
      next?.focus();
    }
    this.after();
  }

  private async forget(id: string): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/${id}/remove`, {
        method: "POST",
        credentials: "same-origin",
        headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
      });
      return response.ok || response.status === 404;
    } catch {
      return false;
    }
  }

  private after(): void {
    this.tell();
    this.next();
    if (this.pending === 0) this.changed();
  }

  private tell(): void {
    for (const row of this.rows) {
      row.part<HTMLButtonElement>("[data-retry]").hidden = row.state !== "failed" || !this.canTryAgain(row);
    }
    this.count();
    this.told();
  }

  private count(): void {
    const stored = this.rows.filter((row) => row.state === "stored");
    const sum = stored.reduce((bytes, row) => bytes + row.size, 0);
    const files = stored.length === 1 ? "1 file" : `${stored.length} files`;
    const words = stored.length > 0 ? `${files}, ${sizeWords(sum)} of ${sizeWords(this.limits.bytes)}.` : "";
    this.total.textContent = `${words} ${this.leftOut}`.trim();
    this.list.hidden = this.rows.length === 0;
  }

  private listen(): void {
    const chooser = this.form.querySelector<HTMLInputElement>("#attach");
    const button = this.form.querySelector<HTMLButtonElement>("#attach-button");
    if (chooser && button) {
      // Each file goes by itself, so the form must not carry it again.
      chooser.removeAttribute("name");
      chooser.parentElement?.classList.add("is-replaced");
      chooser.tabIndex = -1;
      button.hidden = false;
      button.addEventListener("click", () => chooser.click());
      chooser.addEventListener("change", () => {
        this.add([...(chooser.files ?? [])]);
        chooser.value = "";
      });
    }
    this.form.addEventListener("dragover", (event) => {
      if (!carries(event.dataTransfer)) return;
      event.preventDefault();
      this.form.classList.add("is-dragging");
    });
    this.form.addEventListener("dragleave", (event) => {
      if (!this.form.contains(event.relatedTarget as Node | null)) this.form.classList.remove("is-dragging");
    });
    this.form.addEventListener("drop", (event) => this.dropped(event, carries(event.dataTransfer)), true);
    this.form.addEventListener(
      "paste",
      (event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        // A table copied from a spreadsheet brings a picture of itself along: its text is what was meant.
        if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
        event.preventDefault();
        event.stopPropagation();
        if (this.arePictures(files, event)) this.intoText?.(files, event);
        else this.add(files);
      },
      true,
    );
  }

  /** Whether these are pictures for the text: nothing else, and put where the text is. */
  private arePictures(files: File[], event: Event): boolean {
    const place = event.target instanceof Element ? event.target.closest(".ProseMirror") : null;
    return place !== null && this.intoText !== null && files.every((one) => PICTURES.has(one.type));
  }

  private dropped(event: DragEvent, files: boolean): void {
    this.form.classList.remove("is-dragging");
    if (!files) return;
    event.preventDefault();
    event.stopPropagation();
    const dropped = [...(event.dataTransfer?.files ?? [])];
    if (dropped.length > 0 && this.arePictures(dropped, event)) {
      this.intoText?.(dropped, event);
      return;
    }
    const items = [...(event.dataTransfer?.items ?? [])];
    const folder = items.find((item) => item.webkitGetAsEntry?.()?.isDirectory);
    this.add(items.filter((item) => !item.webkitGetAsEntry?.()?.isDirectory).flatMap((item) => item.getAsFile() ?? []));
    if (!folder) return;
    this.leftOut = `${this.leftOut} A folder cannot be attached; put it into an archive (ZIP).`.trim();
    this.tell();
  }
}
