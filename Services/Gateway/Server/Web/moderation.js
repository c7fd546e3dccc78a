// One session as its moderators see it: every question live, and the buttons that run the session.
import { callAsAdministrator, withToken } from "/assets/account.js";
import { armEnding, certificateOf, isUnreceived, noteExported, showBeforeEnd, showEnding } from "/assets/ending.js";
import { readEvents } from "/assets/eventstream.js";
import { FindBox } from "/assets/findbox.js";
import { BegunAnswers, ModeratedQuestion, stateOf } from "/assets/moderatedquestion.js";
import {
    announce, busy, byID, CallError, clearError, failure, fillFacts, keepFocus, make, makeTime, notice, show, showError,
} from "/assets/page.js";
import { QuestionList, setReplaying } from "/assets/questionlist.js";

const begun = new BegunAnswers();
const makeRow = (question) => new ModeratedQuestion(question, { begun, act: { publish, reject, answer, remove } });
const rendered = () => showCounts();
/// Who waits longest comes first; of the others, the newest.
const lists = {
    pending: new QuestionList(byID("pending"), { makeRow, rendered }),
    published: new QuestionList(byID("published"), { newestFirst: true, makeRow, rendered }),
    rejected: new QuestionList(byID("rejected"), { newestFirst: true, makeRow, rendered }),
};
const listOf = { PENDING: lists.pending, PUBLISHED: lists.published, REJECTED: lists.rejected };
const findBox = new FindBox(lists);

let session = null;
let following = null;  // an AbortController
let caughtUp = false;
let publicURL = "";
let afterErasure = () => {};
let endsForGood = false;  // the session is kept for no days, and is ended here: that it is gone is no news

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
    endsForGood = false;
    showEnding(null);
    // What is not shown any more does not stay in the page either: it may be erased by now.
    for (const list of Object.values(lists)) list.clear();
    begun.clear();
    findBox.clear();
    for (const place of ["title", "facts"]) byID(place).replaceChildren();
}

async function follow(signal) {
    let last = "";
    let wait = 1000;
    while (!signal.aborted) {
        let hasBegun = false;
        try {
            setCaughtUp(false);
            const path = `${sessionPath()}/events?audience=MODERATORS&after=${last}`;
            await withToken((headers) => readEvents(path, { headers, signal }, (event) => {
                if (event.id) last = event.id;
                if (!hasBegun) notice(null);
                hasBegun = true;
                wait = 1000;
                if (event.name === "gone") return showGone();
                receive(event.name, JSON.parse(event.data));
            }));
        } catch (error) {
            if (signal.aborted) return;
            if (error instanceof CallError && (error.status === 404 || error.status === 403)) return showGone();
            if (error instanceof CallError && error.status === 401) return;
            notice(error instanceof CallError && [503, 504].includes(error.status) ? "notice.away" : "notice.lost");
        }
        setCaughtUp(true);
        await new Promise((resume) => { setTimeout(resume, wait); });
        wait = Math.min(wait * 2, 30000);
    }
}

function receive(name, event) {
    if (name === "session") {
        session = event.session;
        showSession();
    } else if (name === "question") {
        if (caughtUp && stateOf(event.question) === "PENDING" && !lists.pending.has(event.question.questionId)) {
            announce("moderate.arrived");
        }
        showQuestion(event.question);
    } else if (name === "removed") {
        forgetQuestion(event.removedQuestionId);
    } else if (name === "reset") {
        // Chat's store was restored: what was seen may never have been. All there is follows.
        for (const list of Object.values(lists)) list.clear();
        findBox.clear();
        setCaughtUp(false);
    } else if (name === "caught-up") {
        setCaughtUp(true);
    }
}

/// What had happened before comes as fast as it can be read.
function setCaughtUp(value) {
    caughtUp = value;
    setReplaying(!value);
}

function showGone() {
    if (endsForGood) return;
    closeSession();
    for (const part of parts()) part.hidden = true;
    notice("notice.gone");
    keepFocus(byID("content"));
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

function change(button, act) {
    return busy(button, async () => {
        const error = byID("run-error");
        clearError(error);
        try {
            await act();
        } catch (problem) {
            showError(error, problem);
        }
    });
}

async function transition(verb) {
    const changed = await callAsAdministrator("POST", `${sessionPath()}:${verb}`, {});
    // Another view may be shown by now.
    if (session?.sessionId !== changed.sessionId) return;
    session = changed;
    showSession();
}

async function open() {
    await transition("open");
    // Its own button is gone.
    keepFocus(byID("end"));
}

async function end() {
    showBeforeEnd(session);
    if (!await confirmed(byID("end-dialog"))) return;
    if ((session.retentionDays ?? 0) === 0) return endForGood();
    await transition("end");
    byID("ending").focus();
}

/// Ends a session that is kept for no days, and shows the certificate of its erasure when there is one.
async function endForGood() {
    const { sessionId: id } = session;
    const [erased, shown] = [afterErasure, location.hash];
    endsForGood = true;
    try {
        await callAsAdministrator("POST", `${sessionPath()}:end`, {});
    } finally {
        endsForGood = false;
    }
    closeSession();
    for (const part of parts()) part.hidden = true;
    notice("end.erasing");
    byID("content").focus({ preventScroll: true });
    const certificate = await certificateOf(id, () => location.hash === shown);
    if (location.hash !== shown) return;
    if (!certificate) return notice("end.erasingStill");
    announce("erase.done");
    erased(certificate);
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

function showQuestion(question) {
    const id = question.questionId;
    const list = listOf[stateOf(question)] ?? lists.pending;
    const isWritten = !list.has(id) && document.activeElement?.id === `text-${id}`;
    for (const other of Object.values(lists)) if (other !== list) other.remove(id);
    list.put(question);
    // Somebody else moved it while its answer is being written here: the writing goes on where it is now.
    if (isWritten) list.reveal(id)?.querySelector("textarea")?.focus();
}

function questionPath(question) {
    return `${sessionPath()}/questions/${encodeURIComponent(question.questionId)}`;
}

async function publish(question) {
    showQuestion(await callAsAdministrator("POST", `${questionPath(question)}:publish`, {}));
}

async function reject(question) {
    showQuestion(await callAsAdministrator("POST", `${questionPath(question)}:reject`, {}));
}

async function remove(question) {
    await callAsAdministrator("DELETE", questionPath(question));
    forgetQuestion(question.questionId);
    announce("question.deleted");
}

function forgetQuestion(id) {
    for (const list of Object.values(lists)) list.remove(id);
}

/// `accepted` is called when the answer is stored, before it is shown.
async function answer(question, written, accepted) {
    const changed = await callAsAdministrator("POST", `${questionPath(question)}:answer`, written);
    accepted();
    showQuestion(changed);
}

function showCounts() {
    for (const [name, list] of Object.entries(lists)) {
        byID(`${name}-empty`).hidden = list.size > 0;
        const count = byID(`${name}-count`);
        if (!count) continue;
        count.hidden = list.size === 0;
        show(count, "count", { count: { number: list.size } });
    }
    findBox.update();
}

/// Arms the buttons of the view, once.
export function armSession() {
    byID("open").addEventListener("click", (event) => change(event.target, open));
    byID("end").addEventListener("click", (event) => change(event.target, end));
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
