// A list of questions of any length, of which only those that are to be seen are in the document.
import { OrderedRows } from "/assets/orderedrows.js";
import { keepPlace } from "/assets/place.js";

/// A list up to so long is in the document as a whole, so that the browser's own search finds all of it.
const shortList = 60;
/// How far outside the window rows are in the document, in windows: what is scrolled or tabbed to is there already.
const margin = 1;
/// What browsers can lay out has an end. What is beyond is found by searching, or moves up as rows before it leave.
const longestList = 100_000;
/// Before a row has been measured.
const firstEstimate = 130;
/// While a session's past arrives, how often it is shown, in milliseconds.
const replayPause = 250;

const lists = new Set();
let isPlanned = false;
let isReplaying = false;

/// While many changes arrive that had happened before, they are shown a few times a second and not in each frame.
export function setReplaying(replaying) {
    isReplaying = replaying;
    if (!replaying) renderNow();
}

/// Whatever changes in one frame is shown at once.
function renderSoon() {
    if (isPlanned) return;
    isPlanned = true;
    // A tab in the background has no frames, but what is removed has to leave it too.
    if (isReplaying || document.hidden) setTimeout(renderNow, replayPause);
    else requestAnimationFrame(renderNow);
}

function renderNow() {
    isPlanned = false;
    keepPlace(() => { for (const list of lists) list.render(); });
}

window.addEventListener("scroll", renderSoon, { passive: true });
window.addEventListener("resize", renderSoon, { passive: true });

export class QuestionList {
    #element;
    #sign;
    #makeRow;
    #rendered;
    #questions = new Map();
    #rows = new OrderedRows();  // of the questions that are searched for
    #shown = new Map();  // id → {made, element, question} of what is in the document
    #search = "";
    #width = 0;
    #gap = 0;
    #hasEstimate = false;
    #observer = new ResizeObserver((entries) => this.#resized(entries));

    /// - `element`: the list, whose children are this object's.
    /// - `newestFirst`: otherwise who waits longest comes first.
    /// - `makeRow(question)`: gives {element, update(question)}: an `li`, which shows that question from then on.
    /// - `rendered`: called whenever the list may show or hold something else.
    constructor(element, { newestFirst = false, makeRow, rendered = () => {} }) {
        this.#element = element;
        this.#sign = newestFirst ? -1 : 1;
        this.#makeRow = makeRow;
        this.#rendered = rendered;
        element.setAttribute("role", "list");  // some readers take a list without bullets for none
        this.#observer.observe(element.parentElement);
        element.closest("details")?.addEventListener("toggle", renderSoon);
        lists.add(this);
    }

    get size() {
        return this.#questions.size;
    }

    /// Whether some of the list is not in the document.
    get isLong() {
        return this.#questions.size > shortList;
    }

    /// How many questions the search has found.
    get found() {
        return this.#rows.size;
    }

    has(id) {
        return this.#questions.has(id);
    }

    put(question) {
        this.#questions.set(question.questionId, question);
        this.#arrange(question);
        renderSoon();
    }

    /// Shows a question anew though it has not changed.
    refresh(id) {
        const question = this.#questions.get(id);
        if (question) this.put({ ...question });
    }

    remove(id) {
        if (!this.#questions.delete(id)) return;
        this.#rows.remove(id);
        renderSoon();
    }

    /// At once: what was shown may be erased by now.
    clear() {
        this.#questions.clear();
        this.#rows.clear();
        this.#search = "";
        this.render();
    }

    /// Shows only the questions in which these words occur; all without any.
    search(words) {
        this.#search = folded(words.trim());
        this.#rows.clear();
        for (const question of this.#questions.values()) this.#arrange(question);
        renderSoon();
    }

    #arrange(question) {
        const id = question.questionId;
        if (!this.#matches(question)) return this.#rows.remove(id);
        this.#rows.put(id, this.#sign * (Date.parse(question.askTime) || 0), question);
    }

    #matches(question) {
        if (!this.#search) return true;
        const answers = (question.answers ?? []).flatMap((answer) => [answer.text, answer.hostName]);
        return [question.text, question.authorName, ...answers].some((text) => folded(text).includes(this.#search));
    }

    /// Scrolls to a question, and returns its row; null if it is not in the list.
    reveal(id) {
        const index = this.#rows.indexOf(id);
        if (index < 0 || index >= this.#length) return null;
        const { top } = this.#element.getBoundingClientRect();
        window.scrollTo({ top: window.scrollY + top + this.#rows.offsetOf(index) - window.innerHeight / 4, behavior: "instant" });
        this.render();
        const row = this.#shown.get(id)?.element ?? null;
        row?.scrollIntoView({ block: "nearest", behavior: "instant" });
        return row;
    }

    /// Puts the rows into the document that are to be seen now, and takes the others out.
    render() {
        if (this.#element.closest("[hidden], details:not([open])")) this.#place([]);
        else this.#fill();
        this.#rendered();
    }

    #fill() {
        this.#measureWidth();
        let wanted = this.#wanted();
        // Rows that turn out lower than they were thought leave room for more.
        for (let round = 0; round < 3; round += 1) {
            this.#place(wanted);
            this.#measure();
            const next = this.#wanted();
            if (next.length === wanted.length && next.every((index, place) => index === wanted[place])) break;
            wanted = next;
        }
    }

    get #length() {
        return Math.min(this.#rows.size, longestList);
    }

    /// The indices of the rows that are to be in the document, in order.
    #wanted() {
        const length = this.#length;
        if (length <= shortList) return Array.from({ length }, (_, index) => index);
        const { top } = this.#element.getBoundingClientRect();
        const room = window.innerHeight * margin;
        const first = Math.min(this.#rows.indexAt(-top - room), length - 1);
        const last = Math.min(this.#rows.indexAt(-top + window.innerHeight + room), length - 1);
        const wanted = Array.from({ length: last - first + 1 }, (_, place) => first + place);
        // Where the focus is stays, or it would be lost.
        const held = this.#rows.indexOf(this.#heldID());
        if (held >= 0 && held < first) wanted.unshift(held);
        if (held > last && held < length) wanted.push(held);
        return wanted;
    }

    #heldID() {
        if (!this.#element.contains(document.activeElement)) return "";
        for (const [id, { element }] of this.#shown) if (element.contains(document.activeElement)) return id;
        return "";
    }

    #place(wanted) {
        const rows = wanted.map((index) => this.#rows.at(index));
        const left = this.#takeOut(new Set(rows.map(({ id }) => id)));
        let next = this.#element.firstElementChild;
        let end = 0;  // the index after the row before
        for (const [place, row] of rows.entries()) {
            const { element } = this.#view(row);
            if (element === next) next = next.nextElementSibling;
            else this.#element.insertBefore(element, next);
            const index = wanted[place];
            const hidden = index > end ? this.#rows.offsetOf(index) - this.#rows.offsetOf(end) : 0;
            setMargin(element, hidden);
            setAttribute(element, "aria-posinset", index + 1);
            setAttribute(element, "aria-setsize", this.#length);
            end = index + 1;
        }
        const below = rows.length > 0 ? this.#rows.offsetOf(this.#length) - this.#rows.offsetOf(end) : 0;
        const padding = below > 0 ? `${below}px` : "";
        if (this.#element.style.paddingBottom !== padding) this.#element.style.paddingBottom = padding;
        if (left >= 0) this.#focusAt(left);
    }

    /// - Returns: where among what is shown the row was that had the focus and is no longer in the list; -1 if none was.
    #takeOut(wanted) {
        const held = this.#heldID();
        const place = held && !wanted.has(held) ? [...this.#element.children].indexOf(this.#shown.get(held).element) : -1;
        for (const [id, { element }] of this.#shown) {
            if (wanted.has(id)) continue;
            this.#observer.unobserve(element);
            this.#shown.delete(id);
            element.remove();
        }
        return place;
    }

    /// The focus goes on to the row that has come to the place of one that left.
    #focusAt(place) {
        const rows = this.#element.children;
        const next = rows[Math.min(place, rows.length - 1)] ?? this.#element.parentElement.querySelector("h2, summary");
        if (next.tabIndex < 0) next.tabIndex = -1;
        (next.querySelector("button") ?? next).focus({ preventScroll: true });
    }

    #view(row) {
        let view = this.#shown.get(row.id);
        if (!view) {
            const made = this.#makeRow(row.value);
            view = { made, element: made.element, question: row.value };
            view.element.dataset.id = row.id;
            this.#shown.set(row.id, view);
            this.#observer.observe(view.element);
        } else if (view.question !== row.value) {
            view.question = row.value;
            view.made.update(row.value);
        }
        return view;
    }

    #measure() {
        let [sum, count] = [0, 0];
        for (const [id, { element }] of this.#shown) {
            const height = element.getBoundingClientRect().height + this.#gap;
            this.#rows.setHeight(id, height);
            sum += height;
            count += 1;
        }
        // Made once, from the first rows that are seen: what is not seen must not move whenever another one is.
        if (this.#hasEstimate || count === 0) return;
        this.#hasEstimate = true;
        this.#rows.estimate = sum / count;
    }

    #measureWidth() {
        const { width } = this.#element.parentElement.getBoundingClientRect();
        if (width === this.#width) return;
        this.#width = width;
        this.#gap = parseFloat(getComputedStyle(this.#element).rowGap) || 0;
        this.#rows.forgetHeights();
        this.#hasEstimate = false;
        this.#rows.estimate = firstEstimate;
    }

    #resized(entries) {
        for (const { target } of entries) {
            if (target === this.#element.parentElement) renderSoon();
            else if (target.isConnected) this.#rows.setHeight(target.dataset.id, target.getBoundingClientRect().height + this.#gap);
        }
    }
}

function folded(text) {
    return (text ?? "").normalize("NFKC").toLowerCase();
}

function setMargin(element, margin) {
    const value = margin > 0 ? `${margin}px` : "";
    if (element.style.marginTop !== value) element.style.marginTop = value;
}

function setAttribute(element, name, value) {
    if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}
