// A participant's own questions: asked for by their author, and followed for as long as one of them waits.
//
// Everything but a question's rejection, and its deletion before it was published, reaches its author by the feed that everybody follows. So a feed of one's own is
// open only while something waits for a moderator, and only in a tab that is looked at.
import { readEvents } from "/assets/eventstream.js";
import { call, CallError } from "/assets/page.js";

const pageSize = 200;
/// More than a participant may have asked, unless the service is told to allow far more.
const mostPages = 20;
/// How long to wait, in milliseconds, before a feed is asked for again that ended, and one that there was no place for.
const pause = { ended: 1000, refused: 30000 };

export class OwnQuestions {
    #path;
    #headers;
    #show;
    #removed;
    #reset;
    #refused;
    #following = null;  // an AbortController
    #isWaiting = false;
    #last = "";

    /// - `path`: the session's.
    /// - `headers`: those that say who asks; nil while nobody has joined.
    /// - `show(question)`: called with each of them, as it is now.
    /// - `removed(id)`: called when one of them is deleted.
    /// - `reset()`: called when all of them are to be forgotten, before they are shown as they are.
    /// - `refused()`: called when the participant is unknown.
    constructor(path, { headers, show, removed, reset, refused }) {
        this.#path = path;
        this.#headers = headers;
        this.#show = show;
        this.#removed = removed;
        this.#reset = reset;
        this.#refused = refused;
        document.addEventListener("visibilitychange", () => this.#follow());
    }

    /// All of them, as they are now.
    async list() {
        let page = "";
        try {
            for (let pages = 0; pages < mostPages && this.#headers(); pages += 1) {
                const query = new URLSearchParams({ own: "true", page_size: pageSize, ...(page && { page_token: page }) });
                const answer = await call("GET", `${this.#path}/questions?${query}`, { headers: this.#headers() });
                if (!this.#headers()) return;  // erased in the meantime
                for (const question of answer.questions ?? []) this.#show(question);
                page = answer.nextPageToken ?? "";
                if (!page) return;
            }
        } catch (error) {
            if (error instanceof CallError && error.code === "UNAUTHENTICATED") this.#refused();
        }
    }

    /// Says whether one of them waits for a moderator.
    setWaiting(isWaiting) {
        this.#isWaiting = isWaiting;
        this.#follow();
    }

    /// Forgets where the feed was.
    stop() {
        this.#last = "";
        this.setWaiting(false);
    }

    #follow() {
        const isWanted = this.#isWaiting && !document.hidden && this.#headers() !== null;
        if (isWanted === (this.#following !== null)) return;
        this.#following?.abort();
        this.#following = isWanted ? new AbortController() : null;
        if (isWanted) this.#read(this.#following.signal);
    }

    async #read(signal) {
        while (!signal.aborted) {
            const wait = await this.#readOnce(signal);
            await new Promise((resume) => { setTimeout(resume, wait * (1 + Math.random() / 2)); });
        }
    }

    /// - Returns: how long to wait before the next time.
    async #readOnce(signal) {
        const path = `${this.#path}/events?audience=AUTHOR&after=${this.#last}`;
        try {
            await readEvents(path, { headers: this.#headers() ?? {}, signal }, (event) => {
                if (event.id) this.#last = event.id;
                if (event.name === "reset") this.#reset();
                if (event.name === "question") this.#show(JSON.parse(event.data).question);
                if (event.name === "removed") this.#removed(JSON.parse(event.data).removedQuestionId);
            });
            return pause.ended;
        } catch (error) {
            if (signal.aborted) return 0;
            if (error instanceof CallError && error.code === "UNAUTHENTICATED") this.#refused();
            // There is no place for another feed: asked for now and then instead.
            else if (error instanceof CallError && error.status === 429) await this.list();
            else if (!(error instanceof CallError)) return pause.ended;
            return pause.refused;
        }
    }
}
