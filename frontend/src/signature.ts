// The signature in an email: a block of its own, so that another account's can take its place.
import { type Editor, Node } from "@tiptap/core";
import { DOMParser as Parser, type Node as Block } from "@tiptap/pm/model";

const CLASS = "truesend-signature";

export const Signature = Node.create({
  name: "signature",
  group: "block",
  // What its own editor writes; no other block of this kind.
  content: "(paragraph | bulletList | orderedList | blockquote)+",
  defining: true,
  parseHTML: () => [{ tag: `div.${CLASS}` }],
  renderHTML: () => ["div", { class: CLASS }, 0],
});

/** The block that a signature's HTML makes; null where there is none. */
function blockOf(editor: Editor, html: string): Block | null {
  const type = editor.schema.nodes["signature"];
  if (!html || !type) return null;
  const box = document.createElement("div");
  box.innerHTML = `<div class="${CLASS}">${html}</div>`;
  const found = Parser.fromSchema(editor.schema).parse(box).firstChild;
  return found?.type === type ? found : null;
}

/** Where a signature belongs: above the quote of an answer and what introduces it, else at the end. */
function placeFor(editor: Editor): number {
  const { doc } = editor.state;
  let at = 0;
  let before = 0;
  for (let index = 0; index < doc.childCount; index += 1) {
    const node = doc.child(index);
    if (node.type.name === "blockquote" && index > 0) return before;
    before = at;
    at += node.nodeSize;
  }
  return doc.content.size;
}

/**
 * Take one signature out and put another in. One that somebody has changed, or taken out by hand, is left as it is.
 */
export function setSignature(editor: Editor, before: string, after: string): void {
  const old = blockOf(editor, before);
  const next = blockOf(editor, after);
  const { state } = editor;
  let found: { at: number; node: Block } | null = null;
  state.doc.forEach((node, at) => {
    if (node.type.name === "signature") found ??= { at, node };
  });
  const { tr } = state;
  const there = found as { at: number; node: Block } | null;
  if (there && !(old && there.node.eq(old))) return;
  if (!there && old) return;
  if (there) {
    if (next) tr.replaceWith(there.at, there.at + there.node.nodeSize, next);
    else tr.delete(there.at, there.at + there.node.nodeSize);
  } else if (next) tr.insert(placeFor(editor), next);
  else return;
  editor.view.dispatch(tr);
}
