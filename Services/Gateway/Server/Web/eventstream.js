// Server-sent events read by fetch, because EventSource can't send an Authorization header.
import { failure } from "/assets/page.js";

/// Characters of one event. A question with all its answers is far below.
const longestEvent = 8_000_000;
/// How long events may be handled before the page has its turn, in milliseconds.
const turn = 10;

/// Reads events until the stream ends. Throws CallError if the answer is none.
///
/// `act` gets {id, name, data} for each event, data being text.
export async function readEvents(path, { headers, signal }, act) {
    const response = await fetch(path, { headers, signal, cache: "no-store", credentials: "omit" });
    if (!response.ok) throw await failure(response);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = new EventParser();
    for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        let began = performance.now();
        for (const event of parser.events(value)) {
            act(event);
            if (performance.now() - began < turn) continue;
            await new Promise((resume) => { setTimeout(resume); });
            if (signal?.aborted) return;
            began = performance.now();
        }
    }
}

/// Takes a stream's text as it comes. What has come of an unfinished event is looked at once.
export class EventParser {
    #pieces = [];  // of the event that has not ended yet
    #length = 0;

    * events(text) {
        let from = 0;
        if (this.#pieces.at(-1)?.endsWith("\n") && text.startsWith("\n")) {
            from = 1;
            yield* this.#event("");
        }
        for (let end = text.indexOf("\n\n", from); end >= 0; end = text.indexOf("\n\n", from)) {
            yield* this.#event(text.slice(from, end));
            from = end + 2;
        }
        if (from === text.length) return;
        this.#pieces.push(text.slice(from));
        this.#length += text.length - from;
        if (this.#length > longestEvent) throw new RangeError("an event is too long");
    }

    * #event(rest) {
        const event = parse([...this.#pieces, rest].join(""));
        this.#pieces = [];
        this.#length = 0;
        if (event.data) yield event;
    }
}

function parse(block) {
    const event = { id: "", name: "message", data: "" };
    const data = [];
    for (const line of block.split("\n")) {
        const colon = line.indexOf(":");
        const field = line.slice(0, colon);
        const value = line.slice(colon + 1).replace(/^ /, "");
        if (field === "id") event.id = value;
        else if (field === "event") event.name = value;
        else if (field === "data") data.push(value);
    }
    event.data = data.join("\n");
    return event;
}
