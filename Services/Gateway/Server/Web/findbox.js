// Finds questions by their words and leads from list to list, where lists are too long to be in the document as a whole.
import { byID, clearError, show } from "/assets/page.js";

/// How long somebody who types has to pause before it is searched, in milliseconds.
const pause = 150;

/// The box is the element `find-box`; a button for each list leads to it.
export class FindBox {
    #lists;
    #timer = null;

    /// - `lists`: {name: QuestionList}. The buttons are `to-NAME`; each leads to the heading before the list `NAME`.
    constructor(lists) {
        this.#lists = lists;
        byID("find").addEventListener("input", () => {
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => this.#search(), pause);
        });
        for (const name of Object.keys(lists)) byID(`to-${name}`)?.addEventListener("click", () => lead(byID(name)));
    }

    clear() {
        clearTimeout(this.#timer);
        byID("find").value = "";
        this.update();
    }

    /// To be called when lists have changed.
    update() {
        const lists = Object.values(this.#lists);
        const isSearching = byID("find").value.trim() !== "";
        byID("find-box").hidden = !isSearching && !lists.some((list) => list.isLong);
        if (byID("find-box").hidden) return;
        for (const [name, list] of Object.entries(this.#lists)) {
            const button = byID(`to-${name}`);
            if (button) show(button, `find.${name}`, { count: { number: list.found } });
        }
        const count = lists.reduce((sum, list) => sum + list.found, 0);
        if (isSearching) show(byID("find-found"), "find.found", { count: { number: count } });
        else clearError(byID("find-found"));
    }

    #search() {
        for (const list of Object.values(this.#lists)) list.search(byID("find").value);
    }
}

function lead(list) {
    const around = list.closest("section, details");
    if (around.tagName === "DETAILS") around.open = true;
    const heading = around.querySelector("h2, summary");
    if (heading.tagName === "H2") heading.tabIndex = -1;
    heading.scrollIntoView({ block: "start", behavior: "instant" });
    heading.focus({ preventScroll: true });
}
