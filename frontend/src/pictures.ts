// Pictures in the text: uploaded to the draft, then called by their content id. The page shows them from the draft.
import { type Editor, Node } from "@tiptap/core";
import { csrfToken } from "./csrf.ts";
import { toast } from "./toasts.ts";
import { encoded, type Uploads } from "./uploads.ts";

const ADDRESS = /^cid:([0-9a-f-]{36})@truesend$/i;

/** Where the page finds the picture that a text calls by this address. */
function sourceOf(draft: string, address: string): string {
  const found = ADDRESS.exec(address);
  return found ? `/emails/${draft}/attachments/${found[1]}` : "";
}

/** The block for the editor; pictures from anywhere else do not come into a text. */
export function pictureBlock(draft: string): Node {
  return Node.create({
    name: "picture",
    group: "inline",
    inline: true,
    draggable: true,
    addAttributes: () => ({ src: { default: "" }, alt: { default: "" } }),
    parseHTML: () => [{ tag: 'img[src^="cid:"]' }],
    renderHTML: ({ HTMLAttributes }) => ["img", HTMLAttributes],
    addNodeView:
      () =>
      ({ node }) => {
        const dom = document.createElement("img");
        dom.src = sourceOf(draft, String(node.attrs["src"]));
        dom.alt = String(node.attrs["alt"]);
        return { dom };
      },
  });
}

async function upload(url: string, file: File): Promise<{ content_id: string }> {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      "Content-Type": "application/octet-stream",
      "X-CSRFToken": csrfToken(),
      "X-File-Name": encoded(file.name || "picture"),
      "X-File-Type": file.type,
      "X-File-Picture": "1",
    },
    body: file,
  });
  if (response.redirected || response.status === 401 || response.status === 403) {
    throw new Error("You are signed out. Sign in again in another tab, then put the picture in again.");
  }
  const answer = (await response.json().catch(() => ({}))) as { content_id?: string; sentence?: string };
  if (response.status !== 201 || !answer.content_id) {
    throw new Error(answer.sentence ?? `The picture was not stored: the server had an error (${response.status}).`);
  }
  return { content_id: answer.content_id };
}

/** Let pictures that are dropped or pasted into the text go there. */
export function startPictures(editor: Editor, url: string, uploads: Uploads, changed: () => void): void {
  uploads.intoText = (files, event) => {
    const at =
      event instanceof DragEvent
        ? (editor.view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos ?? editor.state.selection.from)
        : editor.state.selection.from;
    void (async () => {
      let place = at;
      for (const file of files) {
        uploads.pictures += 1;
        toast("The picture is uploaded …");
        try {
          const { content_id } = await upload(url, file);
          const alt = /^image\.\w+$/i.test(file.name) ? "" : file.name.replace(/\.\w+$/, "");
          const inside = Math.min(place, editor.state.doc.content.size);
          editor.chain().insertContentAt(inside, { type: "picture", attrs: { src: `cid:${content_id}`, alt } }).focus().run();
          place = editor.state.selection.to;
        } catch (error) {
          toast(error instanceof TypeError ? "The picture was not stored: the connection broke." : (error as Error).message, "bad");
        } finally {
          uploads.pictures -= 1;
          changed();
        }
      }
    })();
  };
}
