// What every page shares: texts in two languages, elements without HTML strings, calls to the API.
import { keepPlace } from "/assets/place.js";
import { texts } from "/assets/texts.js";

const languageKey = "samtal-language";
let language = chosenLanguage();

function chosenLanguage() {
    const kept = sessionStorage.getItem(languageKey);
    if (kept in texts) return kept;
    const preferred = (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase());
    return preferred.find((tag) => tag in texts) ?? "en";
}

/// The words for a key, and for how many, where they depend on that.
function pattern(key, values) {
    const found = texts[language][key] ?? key;
    if (typeof found === "string") return found;
    const count = values[found.of];
    return found[new Intl.PluralRules(language).select(Number(count?.number ?? count ?? 0))] ?? found.other;
}

export function text(key, values = {}) {
    return pattern(key, values).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/// A time in the reader's own way; today's without the date unless it is to be `dated`.
export function formatTime(time, dated) {
    const date = new Date(time);
    const sameDay = !dated && date.toDateString() === new Date().toDateString();
    const style = sameDay ? { timeStyle: "short" } : { dateStyle: "long", timeStyle: "short" };
    const own = navigator.languages?.find((tag) => tag.toLowerCase().startsWith(`${language}-`));
    return new Intl.DateTimeFormat(own ?? { sv: "sv-SE", en: "en-GB" }[language], style).format(date);
}

/// Shows a text of the strings file in an element, now and after the language is switched. A value of the form
/// {time: "2026-01-01T…"} is shown as a time of the reader's, {number: 20000} as a number of the language's, and
/// {regions: {chat: "se"}, of: 1} as the places where so many processes keep data.
export function show(element, key, values = {}) {
    const kept = JSON.stringify(values);
    if (element.dataset.text === key && element.dataset.values === kept && element.hasChildNodes()) return element;
    element.dataset.text = key;
    element.dataset.values = kept;
    fill(element);
    return element;
}

/// A text that is filled in stands apart from the one around it: it may be written in the other direction.
function fill(element) {
    const values = JSON.parse(element.dataset.values ?? "{}");
    const parts = pattern(element.dataset.text, values).split(/\{(\w+)\}/);
    element.replaceChildren(...parts.map((part, place) => (place % 2 && part in values ? filledIn(values[part]) : part)));
}

function filledIn(value) {
    if (value?.time) return formatTime(value.time);
    if (value?.number !== undefined) return new Intl.NumberFormat(language).format(value.number);
    if (value?.regions) return places(value);
    return typeof value === "string" ? make("bdi", { content: value }) : String(value);
}

/// The country of a region such as se-stockholm-1, and the region.
function placeName(region) {
    const country = new Intl.DisplayNames(language, { type: "region" }).of(region.slice(0, 2).toUpperCase());
    return `${country} (${region})`;
}

/// Where processes keep data: one place if all `of` them say the same, and otherwise one for each.
function places({ regions, of }) {
    const told = Object.entries(regions);
    if (told.length >= of && told.every(([, region]) => region === told[0][1])) return placeName(told[0][1]);
    return told.map(([process, region]) => `${text(`process.${process}`)}: ${placeName(region)}`).join(", ");
}

function fillPage() {
    document.documentElement.lang = language;
    for (const element of document.querySelectorAll("[data-text]")) fill(element);
    for (const element of document.querySelectorAll("time[datetime]")) {
        element.textContent = formatTime(element.dateTime, element.className === "dated");
    }
    const button = document.getElementById("language");
    button.textContent = text("language");
    button.setAttribute("aria-label", text("languageLabel"));
    button.lang = language === "sv" ? "en" : "sv";
}

/// Fills in the texts and arms the language button.
export function startPage() {
    document.getElementById("language").addEventListener("click", () => {
        language = language === "sv" ? "en" : "sv";
        sessionStorage.setItem(languageKey, language);
        fillPage();
    });
    fillPage();
}

/// An element. `content` is shown as text, never as HTML.
export function make(tag, { className, content, key, values, ...attributes } = {}, ...children) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (key) show(element, key, values);
    else if (content !== undefined) element.textContent = content;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter(Boolean));
    return element;
}

/// `kind` is "dated" where the date is to be shown even today.
export function makeTime(time, kind = "") {
    return make("time", { datetime: time, className: kind, content: formatTime(time, kind === "dated") });
}

/// A list of terms and descriptions; rows without a description are left out.
export function fillFacts(list, rows) {
    list.replaceChildren(
        ...rows
            .filter(([, description]) => description)
            .flatMap(([key, description]) => [make("dt", { key }), make("dd", {}, description)]),
    );
}

export function byID(id) {
    return document.getElementById(id);
}

let silence = null;

/// Tells screen readers, and nobody else. The words are taken away again: they may quote what is removed later.
export function announce(key, values = {}) {
    byID("announcer").textContent = text(key, values);
    clearTimeout(silence);
    silence = setTimeout(() => { byID("announcer").textContent = ""; }, 5000);
}

export function notice(key, kind = "warn", values = {}) {
    const element = byID("notice");
    keepPlace(() => {
        element.hidden = !key;
        element.className = `notice ${kind}`;
        if (key) show(element, key, values);
    });
}

export class CallError extends Error {
    constructor(status, error = {}, retryAfter = null) {
        super(error.message ?? `status ${status}`);
        this.status = status;
        this.code = error.code ?? "";
        this.reason = error.reason ?? "";
        this.fields = error.fields ?? [];
        this.retryAfter = retryAfter;
    }
}

export async function failure(response) {
    let error = {};
    try {
        error = (await response.json()).error ?? {};
    } catch {
        // An answer that is no JSON comes from something in between; its status has to do.
    }
    return new CallError(response.status, error, response.headers.get("retry-after"));
}

/// Makes a button delete a question at its second press: the first asks whether that is meant, and leaving the button
/// takes it back.
export function armDeletion(button, act) {
    let isSure = false;
    const ask = (sure) => {
        isSure = sure;
        show(button, sure ? "question.deleteSure" : "question.delete");
    };
    ask(false);
    button.addEventListener("click", () => {
        if (!isSure) return ask(true);
        ask(false);
        act();
    });
    button.addEventListener("blur", () => ask(false));
    // A key that is held down asks, and does not answer.
    button.addEventListener("keydown", (event) => {
        if (event.repeat && event.key === "Enter") event.preventDefault();
    });
}

/// One call to the API. Throws CallError; status 0 means that no answer came.
export async function call(verb, path, { body, headers = {} } = {}) {
    const init = { method: verb, headers: { ...headers }, cache: "no-store", credentials: "omit" };
    if (body !== undefined) {
        init.headers["Content-Type"] = "application/json";
        init.body = JSON.stringify(body);
    }
    let response;
    try {
        response = await fetch(path, init);
    } catch {
        throw new CallError(0);
    }
    if (!response.ok) throw await failure(response);
    return response.json();
}

/// The services' words for what is wrong with a text, and the page's.
const faults = [
    [/^must not be empty/, "error.empty"], [/^must have at most (\d+) characters/, "error.tooLong"],
    [/^must have at most (\d+) marks/, "error.marks"], [/^must have at most (\d+) code points/, "error.joined"],
    [/^must not hold/, "error.unseen"],
];

function faultOf(error) {
    for (const { reason } of error.fields) {
        for (const [words, key] of faults) {
            const found = words.exec(reason ?? "");
            if (found) return [key, found[1] ? { count: { number: Number(found[1]) } } : {}];
        }
    }
    return null;
}

/// Shows an error in a person's words.
export function showError(element, error) {
    if (!(error instanceof CallError)) {
        show(element, "error.other");
        throw error;
    }
    if (error.status === 0) show(element, "error.offline");
    else if (error.status === 429 && error.retryAfter) show(element, "error.limit", { seconds: error.retryAfter });
    else if (faultOf(error)) show(element, ...faultOf(error));
    else if (`error.${error.reason}` in texts[language]) show(element, `error.${error.reason}`);
    else if (`error.${error.code}` in texts[language]) show(element, `error.${error.code}`);
    else show(element, "error.other");
}

export function clearError(element) {
    delete element.dataset.text;
    delete element.dataset.values;
    element.textContent = "";
}

/// Does one thing at a time for a button, which keeps the focus meanwhile: a disabled one would lose it.
export async function busy(button, act) {
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    try {
        await act();
    } finally {
        button.ariaDisabled = "false";
    }
}

/// Puts the focus on a sensible place when what had it is shown no more.
export function keepFocus(place) {
    const holder = document.activeElement;
    if (holder && holder !== document.body && holder.checkVisibility()) return;
    place.focus({ preventScroll: true });
}

/// A name for a request that is the same when the request is sent again.
export function requestID() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/// What a question looks like, wherever it is shown.
export function questionContent(question, badge) {
    const meta = make("p", { className: "meta" });
    if (question.authorName) meta.append(make("span", { content: question.authorName, dir: "auto" }));
    else meta.append(make("span", { key: "anonymous" }));
    if (question.askTime) meta.append(makeTime(question.askTime));
    if (badge) meta.append(badge);
    const answers = (question.answers ?? []).map((answer) => {
        const by = answer.hostName
            ? make("span", { key: "answer.by", values: { name: answer.hostName } })
            : make("span", { key: "answer.plain" });
        return make(
            "div", { className: "answer" },
            make("p", { content: answer.text ?? "", dir: "auto" }),
            make("p", { className: "meta" }, by, answer.answerTime && makeTime(answer.answerTime)),
        );
    });
    return [make("p", { className: "question-text", content: question.text ?? "", dir: "auto" }), meta, ...answers];
}
