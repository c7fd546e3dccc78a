// One session as its moderators see it: every question live, and the buttons that run the session.
import { callAsAdministrator, withToken } from "/assets/account.js";
import { armEnding, isUnreceived, noteExported, showBeforeEnd, showEnding } from "/assets/ending.js";
import { readEvents } from "/assets/eventstream.js";
import {
    announce, byID, CallError, clearError, failure, fillFacts, make, makeTime, notice, questionContent, requestID, show,
    showError,
} from "/assets/page.js";

const lists = { PENDING: "pending", PUBLISHED: "published", REJECTED: "rejected" };

let session = null;
let questions = new Map();
let following = null;  // an AbortController
let publicURL = "";
let afterErasure = () => {};

function sessionPath() {
    return `/v1/sessions/${encodeURIComponent(session.sessionId)}`;
}

/// Opens the session's view; `erased` is called with the certificate when the session has been erased here.
export async function openSession(id, { link, erased }) {
    closeSession();
    publicURL = link;
    afterErasure = erased;
    session = await callAsAdministrator("GET", `/v1/sessions/${encodeURIComponent(id)}`);
    for (const part of parts()) part.hidden = false;
    showCounts();
    showSession();
    const controller = new AbortController();
    following = controller;
    follow(controller.signal);
}

export function closeSession() {
    following?.abort();
    following = null;
    session = null;
    showEnding(null);
    questions = new Map();
    // What is not shown any more does not stay in the page either: it may be erased by now.
    for (const list of Object.values(lists)) byID(list).replaceChildren();
    for (const place of ["title", "facts"]) byID(place).replaceChildren();
}

async function follow(signal) {
    let last = "0";
    let wait = 1000;
    while (!signal.aborted) {
        try {
            const path = `${sessionPath()}/events?audience=MODERATORS&after=${last}`;
            await withToken((headers) => readEvents(path, { headers, signal }, (event) => {
                if (event.id) last = event.id;
                wait = 1000;
                notice(null);
                if (event.name === "gone") return showGone();
                receive(event.name, JSON.parse(event.data));
            }));
        } catch (error) {
            if (signal.aborted) return;
            if (error instanceof CallError && (error.status === 404 || error.status === 403)) return showGone();
            if (error instanceof CallError && error.status === 401) return;
            notice("notice.lost");
        }
        await new Promise((resume) => { setTimeout(resume, wait); });
        wait = Math.min(wait * 2, 30000);
    }
}

function receive(name, event) {
    if (name === "session") {
        session = event.session;
        showSession();
    } else if (name === "question") {
        if (!questions.has(event.question.questionId) && state(event.question) === "PENDING") {
            announce("moderate.arrived");
        }
        showQuestion(event.question);
    } else if (name === "removed") {
        questions.delete(event.removedQuestionId);
        item(event.removedQuestionId)?.remove();
        showCounts();
    }
}

function showGone() {
    closeSession();
    for (const part of parts()) part.hidden = true;
    notice("notice.gone");
}

/// The view, but for the way back.
function parts() {
    return document.querySelectorAll("#view-session > :not(:first-child)");
}

// The session

function showSession() {
    const phase = session.state ?? "DRAFT";
    byID("title").textContent = session.title ?? "";
    document.title = `${session.title ?? ""} – Samtal`;
    show(byID("state"), `state.${phase}`);
    byID("state").className = `badge ${phase === "OPEN" ? "live" : ""}`;
    fillFacts(byID("facts"), [
        ["about.id", make("code", { content: session.sessionId })],
        ["about.created", session.createTime && makeTime(session.createTime)],
        ["about.opened", session.openTime && makeTime(session.openTime)],
        ["about.ended", session.endTime && makeTime(session.endTime)],
        ["about.deleted", session.deleteTime && makeTime(session.deleteTime)],
        ["about.days", make("span", { key: "about.daysValue", values: { days: session.retentionDays ?? 0 } })],
    ]);
    const link = `${publicURL}/s/${encodeURIComponent(session.sessionId)}`;
    byID("link").value = link;
    byID("visit").href = link;
    show(byID("run-text"), `run.${phase}`);
    byID("open").hidden = phase !== "DRAFT";
    byID("end").hidden = phase !== "OPEN";
    showEnding(session);
}

async function change(button, act) {
    const error = byID("run-error");
    clearError(error);
    button.disabled = true;
    try {
        await act();
    } catch (problem) {
        showError(error, problem);
    } finally {
        button.disabled = false;
    }
}

async function transition(verb) {
    session = await callAsAdministrator("POST", `${sessionPath()}:${verb}`, {});
    showSession();
}

async function exportSession() {
    const response = await withToken(async (headers) => {
        const answer = await fetch(`${sessionPath()}/export`, { headers, cache: "no-store", credentials: "omit" });
        if (!answer.ok) throw await failure(answer);
        return answer;
    });
    save(await response.blob(), `samtal-${session.sessionId}.zip`);
    noteExported(session.sessionId);
    announce("run.exported");
}

/// Hands a file to the browser's downloads.
export function save(blob, name) {
    const link = make("a", { href: URL.createObjectURL(blob), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function confirmed(dialog) {
    return new Promise((resume) => {
        dialog.addEventListener("close", () => resume(dialog.returnValue === "yes"), { once: true });
        dialog.returnValue = "no";
        dialog.showModal();
    });
}

async function eraseSession() {
    byID("erase-id").textContent = session.sessionId;
    byID("erase-confirm").value = "";
    byID("erase-yes").disabled = true;
    byID("erase-unreceived").hidden = !isUnreceived(session);
    if (!await confirmed(byID("erase-dialog"))) return;
    const certificate = await callAsAdministrator("POST", `${sessionPath()}:erase`, {
        confirmSessionId: byID("erase-confirm").value.trim(),
    });
    closeSession();
    announce("erase.done");
    afterErasure(certificate);
}

// Questions

function state(question) {
    return question.state ?? "PENDING";
}

function item(id) {
    return document.querySelector(`#view-session li[data-id="${CSS.escape(id)}"]`);
}

function showQuestion(question) {
    questions.set(question.questionId, question);
    const list = byID(lists[state(question)] ?? "pending");
    const earlier = item(question.questionId);
    const next = questionItem(question, earlier);
    const held = earlier?.contains(document.activeElement);
    if (earlier?.parentElement === list) {
        earlier.replaceWith(next);
    } else {
        earlier?.remove();
        list.insertBefore(next, [...list.children].find((other) => comesAfter(other, next, list)) ?? null);
    }
    if (held) (next.querySelector("button") ?? next).focus();
    showCounts();
}

/// Who waits longest comes first; of the published, the newest.
function comesAfter(other, next, list) {
    const difference = Number(other.dataset.time) - Number(next.dataset.time);
    return list.id === "pending" ? difference > 0 : difference < 0;
}

function questionItem(question, earlier) {
    const actions = make("p", { className: "row actions" });
    if (state(question) !== "PUBLISHED") actions.append(action(question, "publish", ""));
    if (state(question) !== "REJECTED") actions.append(action(question, "reject", "danger"));
    const error = make("p", { className: "error", role: "alert" });
    const form = answerForm(question, earlier);
    const opener = make("button", {
        type: "button", className: "quiet", key: "moderate.answer", "aria-expanded": String(!form.hidden),
    });
    opener.addEventListener("click", () => {
        form.hidden = !form.hidden;
        opener.setAttribute("aria-expanded", String(!form.hidden));
        if (!form.hidden) form.querySelector("textarea").focus();
    });
    actions.append(opener);
    const row = make("li", { className: "card", tabindex: "-1" }, ...questionContent(question), actions, error, form);
    row.dataset.id = question.questionId;
    row.dataset.time = Date.parse(question.askTime) || 0;
    return row;
}

function questionPath(question) {
    return `${sessionPath()}/questions/${encodeURIComponent(question.questionId)}`;
}

function action(question, verb, kind) {
    const button = make("button", { type: "button", className: kind, key: `moderate.${verb}` });
    button.addEventListener("click", () => attempt(question, button, async () => {
        await callAsAdministrator("POST", `${questionPath(question)}:${verb}`, {}).then(showQuestion);
    }));
    return button;
}

async function attempt(question, button, act) {
    button.disabled = true;
    try {
        await act();
    } catch (problem) {
        const error = item(question.questionId)?.querySelector(".error");
        if (error) showError(error, problem);
    } finally {
        button.disabled = false;
    }
}

/// The form keeps what was being written when its question changes under it.
function answerForm(question, earlier) {
    const kept = earlier?.querySelector(".answer-form");
    if (kept) return kept;
    const fields = { text: `text-${question.questionId}`, host: `host-${question.questionId}` };
    const answer = make("textarea", { id: fields.text, maxlength: "10000", required: "" });
    const host = make("input", { id: fields.host, maxlength: "60", autocomplete: "off" });
    const button = make("button", { type: "submit", key: "answer.send" });
    const form = make(
        "form", { className: "answer-form stack" },
        make("div", {}, make("label", { for: fields.text, key: "answer.text" }), answer),
        make(
            "div", {}, make("label", { for: fields.host, key: "answer.host" }), host,
            make("p", { className: "hint", key: "answer.hostHint" }),
        ),
        make("p", {}, button),
    );
    form.hidden = true;
    let request = null;  // {text, id}: the same answer sent again carries the same id
    form.addEventListener("submit", (event) => {
        event.preventDefault();
        const written = answer.value.trim();
        if (!written) return;
        if (request?.text !== written) request = { text: written, id: requestID() };
        attempt(question, button, async () => {
            const changed = await callAsAdministrator("POST", `${questionPath(question)}:answer`, {
                text: written, hostName: host.value.trim(), requestId: request.id,
            });
            request = null;
            answer.value = "";
            form.hidden = true;
            showQuestion(changed);
        });
    });
    return form;
}

function showCounts() {
    for (const list of Object.values(lists)) byID(`${list}-empty`).hidden = byID(list).children.length > 0;
}

/// Arms the buttons of the view, once.
export function armSession() {
    byID("open").addEventListener("click", (event) => change(event.target, () => transition("open")));
    byID("end").addEventListener("click", (event) => change(event.target, async () => {
        showBeforeEnd(session);
        if (!await confirmed(byID("end-dialog"))) return;
        await transition("end");
        byID("ending").focus();
    }));
    byID("export").addEventListener("click", (event) => change(event.target, exportSession));
    byID("erase").addEventListener("click", (event) => change(event.target, eraseSession));
    armEnding({ act: change, exportSession, eraseSession });
    byID("erase-confirm").addEventListener("input", () => {
        byID("erase-yes").disabled = byID("erase-confirm").value.trim() !== session?.sessionId;
    });
    byID("copy").addEventListener("click", async () => {
        byID("link").select();
        try {
            await navigator.clipboard.writeText(byID("link").value);
            announce("about.copied");
            show(byID("copy"), "about.copied");
            setTimeout(() => show(byID("copy"), "about.copy"), 3000);
        } catch {
            // Without permission the link stays selected, ready to be copied by hand.
        }
    });
}
