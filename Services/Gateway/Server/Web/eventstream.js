// Server-sent events read by fetch, because EventSource can't send an Authorization header.
import { failure } from "/assets/page.js";

/// Reads events until the stream ends. Throws CallError if the answer is none.
///
/// `act` gets {id, name, data} for each event, data being text.
export async function readEvents(path, { headers, signal }, act) {
    const response = await fetch(path, { headers, signal, cache: "no-store", credentials: "omit" });
    if (!response.ok) throw await failure(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const blocks = (rest + value).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
            const event = parse(block);
            if (event.data) act(event);
        }
    }
}

function parse(block) {
    const event = { id: "", name: "message", data: "" };
    for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        const field = line.slice(0, colon);
        const value = line.slice(colon + 1).replace(/^ /, "");
        if (field === "id") event.id = value;
        else if (field === "event") event.name = value;
        else if (field === "data") event.data += value;
    }
    return event;
}
