// The rich editor: paragraphs, bold, italic, lists, quotes, links, undo. Nothing a mail program could not show.
import { Editor, type Node } from "@tiptap/core";
import { Signature, setSignature } from "./signature.ts";
import StarterKit from "@tiptap/starter-kit";

export interface MailEditor {
  html(): string;
  replace(html: string): void;
  readonly editor: Editor;
  focus(): void;
  /** Put HTML, or text as it is, where somebody writes. */
  insert(html: string): void;
  insertText(text: string): void;
  /** Put one signature (HTML) in the place of another. */
  sign(before: string, after: string): void;
}

const LINK = /^(https?:\/\/|mailto:)/i;

/** What somebody typed as a link target, completed; null when it cannot be one. */
function linkTarget(text: string): string | null {
  const trimmed = text.trim();
  if (LINK.test(trimmed)) return trimmed;
  if (/^[^\s@/:]+@[^\s@/:]+\.[^\s@/:]+$/.test(trimmed)) return `mailto:${trimmed}`;
  return /^[^\s/:]+\.[^\s/:.]+(:\d+)?([/?#]\S*)?$/.test(trimmed) ? `https://${trimmed}` : null;
}

function setUpLink(editor: Editor, form: HTMLElement): () => void {
  const panel = form.querySelector<HTMLElement>("#link-panel");
  const input = panel?.querySelector<HTMLInputElement>("input");
  const problem = panel?.querySelector<HTMLElement>("[data-link-problem]");
  if (!panel || !input || !problem) return () => undefined;
  const close = (): void => {
    panel.hidden = true;
    editor.commands.focus();
  };
  const set = (): void => {
    const target = linkTarget(input.value);
    problem.hidden = target !== null;
    if (target === null) return;
    const chain = editor.chain().extendMarkRange("link");
    if (editor.state.selection.empty && !editor.isActive("link")) {
      chain.insertContent({ type: "text", text: input.value.trim(), marks: [{ type: "link", attrs: { href: target } }] });
    } else chain.setLink({ href: target });
    chain.run();
    close();
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    set();
  });
  panel.querySelector("[data-link=set]")?.addEventListener("click", set);
  panel.querySelector("[data-link=remove]")?.addEventListener("click", () => {
    editor.chain().extendMarkRange("link").unsetLink().run();
    close();
  });
  return () => {
    input.value = String(editor.getAttributes("link")["href"] ?? "");
    problem.hidden = true;
    panel.hidden = false;
    input.focus();
  };
}

export interface EditorOptions {
  /** Blocks that only this page has. */
  blocks?: Node[];
  /** “/” was pressed on an empty line. */
  slash?: () => void;
}

/** Whether the caret stands alone in an empty paragraph. */
function onEmptyLine(editor: Editor): boolean {
  const { empty, $from } = editor.state.selection;
  return empty && $from.parent.type.name === "paragraph" && $from.parent.content.size === 0;
}

export function startEditor(
  place: HTMLElement,
  form: HTMLElement,
  html: string,
  changed: () => void,
  options: EditorOptions = {},
): MailEditor {
  const editor = new Editor({
    element: place,
    content: html,
    // The content security policy forbids a style tag; the same rules stand in our stylesheet.
    injectCSS: false,
    editorProps: {
      attributes: { role: "textbox", "aria-multiline": "true", "aria-label": place.dataset["label"] ?? "Message" },
    },
    extensions: [
      Signature,
      ...(options.blocks ?? []),
      StarterKit.configure({
        code: false,
        codeBlock: false,
        heading: false,
        horizontalRule: false,
        strike: false,
        trailingNode: false,
        link: {
          openOnClick: false,
          autolink: true,
          defaultProtocol: "https",
          protocols: ["http", "https", "mailto"],
          HTMLAttributes: { target: null, rel: null },
        },
      }),
    ],
    onUpdate: changed,
  });

  const openLink = setUpLink(editor, form);
  place.addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (!options.slash || !onEmptyLine(editor)) return;
      event.preventDefault();
      event.stopPropagation();
      options.slash();
    },
    true,
  );
  place.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || event.shiftKey || event.altKey || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    openLink();
  });
  const acts: Record<string, () => void> = {
    bold: () => editor.chain().focus().toggleBold().run(),
    italic: () => editor.chain().focus().toggleItalic().run(),
    bulletList: () => editor.chain().focus().toggleBulletList().run(),
    orderedList: () => editor.chain().focus().toggleOrderedList().run(),
    blockquote: () => editor.chain().focus().toggleBlockquote().run(),
    link: openLink,
    undo: () => editor.chain().focus().undo().run(),
    redo: () => editor.chain().focus().redo().run(),
  };
  const buttons = [...form.querySelectorAll<HTMLButtonElement>("[data-tool]")];
  const showState = (): void => {
    for (const button of buttons) {
      const tool = button.dataset["tool"] ?? "";
      if (tool === "undo") button.disabled = !editor.can().undo();
      else if (tool === "redo") button.disabled = !editor.can().redo();
      else button.setAttribute("aria-pressed", String(editor.isActive(tool)));
    }
  };
  for (const button of buttons) button.addEventListener("click", () => acts[button.dataset["tool"] ?? ""]?.());
  editor.on("transaction", showState);
  showState();

  return {
    html: () => (editor.isEmpty ? "" : editor.getHTML()),
    replace: (content) => editor.commands.setContent(content),
    editor,
    focus: () => {
      editor.commands.focus();
    },
    insert: (content) => {
      editor.chain().focus().insertContent(content).run();
    },
    insertText: (text) => {
      editor.chain().focus().insertContent({ type: "text", text }).run();
    },
    sign: (before, after) => setSignature(editor, before, after),
  };
}
