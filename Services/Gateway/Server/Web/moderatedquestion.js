// One question as its moderators see it, with the buttons that decide on it and the form that answers it.
import { armDeletion, busy, CallError, clearError, keepFocus, make, questionContent, requestID, show, showError } from "/assets/page.js";
import { boundLength, isBlank, mended, mendWhatIsWritten } from "/assets/written.js";

export function stateOf(question) {
    return question.state ?? "PENDING";
}

/// What was begun with questions: kept while their rows come and go as they are scrolled to, or change lists.
export class BegunAnswers {
    #begun = new Map();

    /// {text, host, isOpen, request, problem, row}
    of(id) {
        return this.#begun.get(id);
    }

    begin(id) {
        if (!this.#begun.has(id)) this.#begun.set(id, { text: "", host: "", isOpen: false });
        return this.#begun.get(id);
    }

    clear() {
        this.#begun.clear();
    }
}

export class ModeratedQuestion {
    #question;
    #begun;
    #act;
    #content = make("div");
    #buttons;
    #opener = make("button", { type: "button", className: "quiet", key: "moderate.answer" });
    #error = make("p", { className: "error", role: "alert" });
    #form = null;
    #fits = [];  // of each of the form's fields: whether what is written fits

    /// - `begun`: the session's BegunAnswers.
    /// - `act`: {publish, reject, answer, remove}, each of which carries it out and resolves when it is done.
    constructor(question, { begun, act }) {
        this.#question = question;
        this.#begun = begun;
        this.#act = act;
        this.#buttons = { publish: this.#decision("publish", ""), reject: this.#decision("reject", "danger") };
        const actions = make("p", { className: "row actions" }, this.#buttons.publish, this.#buttons.reject, this.#opener, this.#deletion());
        this.#opener.addEventListener("click", () => this.#toggle());
        this.element = make("li", { className: "card", tabindex: "-1" }, this.#content, actions, this.#error);
        const earlier = begun.of(question.questionId);
        if (earlier) this.#resume(earlier);
        this.#opener.setAttribute("aria-expanded", String(earlier?.isOpen ?? false));
        this.update(question);
    }

    /// Whatever is being written stays, and so does the focus.
    update(question) {
        this.#question = question;
        this.#content.replaceChildren(...questionContent(question));
        this.#buttons.publish.hidden = stateOf(question) === "PUBLISHED";
        this.#buttons.reject.hidden = stateOf(question) === "REJECTED";
    }

    #resume(earlier) {
        earlier.row = this;
        if (earlier.isOpen) this.#showForm(earlier);
        if (earlier.problem) showError(this.#error, earlier.problem);
    }

    #decision(verb, kind) {
        const button = make("button", { type: "button", className: kind, key: `moderate.${verb}` });
        button.addEventListener("click", () => this.#attempt(button, () => this.#act[verb](this.#question)));
        // The focus goes on to the next question: a key that is held down decides one, and not all that wait.
        button.addEventListener("keydown", (event) => {
            if (event.repeat && event.key === "Enter") event.preventDefault();
        });
        return button;
    }

    #deletion() {
        const button = make("button", { type: "button", className: "quiet danger" });
        armDeletion(button, () => this.#attempt(button, () => this.#act.remove(this.#question)));
        return button;
    }

    /// One thing at a time. The button keeps the focus, which a disabled one would lose.
    #attempt(button, carryOut) {
        return busy(button, () => this.#carryOut(carryOut));
    }

    async #carryOut(carryOut) {
        const begun = this.#begun.begin(this.#question.questionId);
        begun.row = this;
        begun.problem = null;
        clearError(this.#error);
        try {
            await carryOut();
        } catch (problem) {
            begun.problem = problem instanceof CallError ? problem : null;
            // The row may have been scrolled away and come back meanwhile.
            showError(begun.row.#error, problem);
        }
    }

    // Answering

    #toggle() {
        const begun = this.#begun.begin(this.#question.questionId);
        begun.row = this;
        begun.isOpen = !begun.isOpen;
        this.#opener.setAttribute("aria-expanded", String(begun.isOpen));
        if (begun.isOpen) this.#showForm(begun).querySelector("textarea").focus();
        else this.#form.hidden = true;
    }

    #showForm(begun) {
        if (!this.#form) this.element.append(this.#makeForm(begun));
        this.#form.hidden = false;
        return this.#form;
    }

    #makeForm(begun) {
        const id = this.#question.questionId;
        const fields = { text: `text-${id}`, host: `host-${id}` };
        const answer = mendWhatIsWritten(make("textarea", { id: fields.text, required: "" }));
        const host = mendWhatIsWritten(make("input", { id: fields.host, autocomplete: "off" }));
        const button = make("button", { type: "submit", key: "answer.send" });
        answer.value = begun.text;
        host.value = begun.host;
        this.#form = make(
            "form", { className: "answer-form stack" },
            make("div", {}, make("label", { for: fields.text, key: "answer.text" }), answer),
            make(
                "div", {}, make("label", { for: fields.host, key: "answer.host" }), host,
                make("p", { className: "hint", key: "answer.hostHint" }),
            ),
            make("p", {}, button),
        );
        this.#fits = [boundLength(answer, 10000), boundLength(host, 60)];
        this.#form.addEventListener("input", () => Object.assign(begun, { text: answer.value, host: host.value }));
        this.#form.addEventListener("submit", (event) => {
            event.preventDefault();
            this.#send(begun, button);
        });
        return this.#form;
    }

    #send(begun, button) {
        const text = mended(begun.text).trim();
        if (!this.#fits.every((fits) => fits())) return;
        if (isBlank(text)) return show(this.#error, "error.empty");
        const hostName = mended(begun.host, { oneLine: true }).trim();
        // The same answer sent again carries the same id.
        if (begun.request?.text !== text) begun.request = { text, id: requestID() };
        this.#attempt(button, async () => {
            // Closed before the answer is shown, which puts the row into another list.
            await this.#act.answer(this.#question, { text, hostName, requestId: begun.request.id }, () => begun.row.#close(begun));
        });
    }

    #close(begun) {
        Object.assign(begun, { text: "", isOpen: false, request: null });
        this.#form?.remove();
        this.#form = null;
        this.#opener.setAttribute("aria-expanded", "false");
        // The focus was in the form.
        keepFocus(this.#opener);
    }
}
