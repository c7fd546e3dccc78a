// The participants' page: follows the session, joins, asks.
import {
    announce, byID, call, CallError, clearError, make, notice, questionContent, requestID, show, showError, startPage,
} from "/assets/page.js";

const sessionID = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const sessionPath = `/v1/sessions/${encodeURIComponent(sessionID)}`;
const memoryKey = `samtal-participant-${sessionID}`;

let session = null;
let participant = JSON.parse(sessionStorage.getItem(memoryKey) ?? "null");  // {token, name, asked: ids of questions}
let pendingRequest = null;  // {text, id}: the same question sent again carries the same id
const own = new Map();      // the participant's own questions that are not published
const mine = new Set(participant?.asked);  // ids of all the participant's own questions
const published = new Map();
let caughtUp = false;

// Following

let lastSequence = "0";
let wait = 1000;

function follow() {
    const source = new EventSource(`${sessionPath}/events?after=${lastSequence}`);
    const on = (name, act) => source.addEventListener(name, (event) => {
        if (event.lastEventId) lastSequence = event.lastEventId;
        act(JSON.parse(event.data));
    });
    source.onopen = () => {
        if (!byID("notice").hidden && wait > 1000) announce("notice.restored");
        wait = 1000;
        showSession();
    };
    on("session", (event) => { session = event.session; showSession(); });
    on("question", (event) => showQuestion(event.question));
    on("removed", (event) => removeQuestion(event.removedQuestionId));
    on("caught-up", () => { caughtUp = true; });
    on("gone", () => { source.close(); showGone(); });
    source.onerror = () => {
        notice("notice.lost");
        if (source.readyState !== EventSource.CLOSED) return;
        // The browser has given up, as it does when an answer is not 200: look whether the session is still there.
        setTimeout(start, wait);
        wait = Math.min(wait * 2, 30000);
    };
}

function showSession() {
    if (!session) return;
    const title = byID("title");
    delete title.dataset.text;
    title.textContent = session.title ?? "";
    document.title = `${session.title ?? ""} – Samtal`;
    const state = session.state ?? "DRAFT";
    const badge = byID("state");
    badge.hidden = false;
    badge.className = `badge ${state === "OPEN" ? "live" : ""}`;
    show(badge, `state.${state}`);
    if (session.endTime) show(byID("times"), "time.ended", { time: { time: session.endTime } });
    else if (session.openTime) show(byID("times"), "time.opened", { time: { time: session.openTime } });
    notice({ DRAFT: "notice.draft", ENDED: "notice.ended" }[state], "", { time: { time: session.deleteTime } });
    const until = byID("privacy-until");
    if (session.deleteTime) show(until, "privacy.until", { time: { time: session.deleteTime } });
    else show(until, "privacy.days", { days: session.retentionDays ?? 0 });
    byID("conversation").hidden = false;
    byID("join").hidden = state === "ENDED" || participant !== null;
    byID("ask").hidden = state !== "OPEN" || participant === null;
}

function showGone() {
    sessionStorage.removeItem(memoryKey);
    session = null;
    participant = null;
    pendingRequest = null;
    byID("announcer").textContent = "";
    byID("join-form").reset();
    byID("ask-form").reset();
    clearError(byID("joined-as"));
    own.clear();
    mine.clear();
    published.clear();
    byID("questions").replaceChildren();
    byID("own-list").replaceChildren();
    byID("conversation").hidden = true;
    byID("state").hidden = true;
    clearError(byID("times"));
    show(byID("title"), "notice.gone");
    document.title = "Samtal";
    notice(null);
}

// Questions

function showQuestion(question) {
    const earlier = published.get(question.questionId);
    published.set(question.questionId, question);
    own.delete(question.questionId);
    showOwn();
    const item = questionItem(question);
    const list = byID("questions");
    const present = list.querySelector(`[data-id="${CSS.escape(question.questionId)}"]`);
    if (present) {
        present.replaceWith(item);
    } else {
        const older = [...list.children].find((other) => Number(other.dataset.time) < Number(item.dataset.time));
        list.insertBefore(item, older ?? null);
    }
    byID("empty").hidden = true;
    if (!caughtUp) return;
    const answers = question.answers ?? [];
    if (!earlier) {
        item.classList.add("fresh");
        announce("questions.new", { text: question.text });
    } else if (answers.length > (earlier.answers ?? []).length) {
        announce("questions.answered", { text: answers[answers.length - 1].text });
    }
}

function questionItem(question) {
    const badge = mine.has(question.questionId) && make("span", { className: "badge", key: "questions.yours" });
    const item = make("li", { className: "card" }, ...questionContent(question, badge));
    item.dataset.id = question.questionId;
    item.dataset.time = Date.parse(question.askTime) || 0;
    return item;
}

function removeQuestion(id) {
    published.delete(id);
    byID("questions").querySelector(`[data-id="${CSS.escape(id)}"]`)?.remove();
    byID("empty").hidden = published.size > 0;
    if (mine.has(id)) refreshOwn();
}

function showOwn() {
    byID("own").hidden = own.size === 0;
    byID("own-list").replaceChildren(...[...own.values()].reverse().map((question) => {
        const state = question.state === "REJECTED" ? "REJECTED" : "PENDING";
        const badge = make("span", {
            className: `badge ${state === "PENDING" ? "waiting" : "off"}`, key: `own.${state}`,
        });
        return make("li", { className: "card" }, ...questionContent(question, badge));
    }));
}

function participantHeaders() {
    return { "Samtal-Participant": participant.token };
}

/// The participant's own questions are in the list besides the published ones.
async function refreshOwn() {
    if (!participant) return;
    let page = "";
    const found = new Map();
    try {
        for (let pages = 0; pages < 20; pages += 1) {
            const query = new URLSearchParams({ page_size: "200", ...(page && { page_token: page }) });
            const answer = await call("GET", `${sessionPath}/questions?${query}`, { headers: participantHeaders() });
            for (const question of answer.questions ?? []) {
                if (question.state === "PUBLISHED") continue;
                found.set(question.questionId, question);
                mine.add(question.questionId);
            }
            page = answer.nextPageToken ?? "";
            if (!page) break;
        }
    } catch (error) {
        if (error instanceof CallError && error.code === "UNAUTHENTICATED") forgetParticipant();
        return;
    }
    if (!participant) return;  // erased in the meantime
    own.clear();
    for (const [id, question] of found) own.set(id, question);
    showOwn();
}

// Joining and asking

function keepParticipant() {
    sessionStorage.setItem(memoryKey, JSON.stringify({ ...participant, asked: [...mine] }));
}

function forgetParticipant() {
    participant = null;
    sessionStorage.removeItem(memoryKey);
    showSession();
}

async function join(name) {
    const error = byID("join-error");
    clearError(error);
    try {
        const answer = await call("POST", `${sessionPath}:join`, { body: name ? { displayName: name } : {} });
        participant = { token: answer.participantToken, name, asked: [] };
        keepParticipant();
        session = answer.session ?? session;
        showParticipant();
        showSession();
        announce("join.joined");
        if (!byID("ask").hidden) byID("text").focus();
    } catch (problem) {
        showError(error, problem);
    }
}

function showParticipant() {
    const label = byID("joined-as");
    if (participant?.name) show(label, "ask.as", { name: participant.name });
    else show(label, "ask.asAnonymous");
}

async function ask(question) {
    const error = byID("ask-error");
    clearError(error);
    if (pendingRequest?.text !== question) pendingRequest = { text: question, id: requestID() };
    const button = byID("ask-form").querySelector("button");
    button.disabled = true;
    try {
        const answer = await call("POST", `${sessionPath}/questions`, {
            body: { text: question, requestId: pendingRequest.id }, headers: participantHeaders(),
        });
        pendingRequest = null;
        byID("text").value = "";
        mine.add(answer.questionId);
        keepParticipant();
        if (!published.has(answer.questionId)) own.set(answer.questionId, answer);
        showOwn();
        announce("ask.sent");
    } catch (problem) {
        showError(error, problem);
        if (problem.code === "UNAUTHENTICATED") forgetParticipant();
    } finally {
        button.disabled = false;
        byID("text").focus();
    }
}

byID("join-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = byID("name").value.trim();
    if (name) join(name);
    else show(byID("join-error"), "join.nameless");
});
byID("join-anonymous").addEventListener("click", () => join(""));
byID("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = byID("text").value.trim();
    if (question) ask(question);
});
setInterval(() => {
    if ([...own.values()].some((question) => question.state !== "REJECTED")) refreshOwn();
}, 30000);

// Starting

async function start() {
    try {
        session = await call("GET", sessionPath);
    } catch (error) {
        if (error.status === 404 || error.status === 400) return showGone();
        notice("notice.lost");
        setTimeout(start, wait);
        wait = Math.min(wait * 2, 30000);
        return;
    }
    showSession();
    showParticipant();
    refreshOwn();
    follow();
}

startPage();
start();
