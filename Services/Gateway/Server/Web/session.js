// The participants' page: follows the session, joins, asks.
import { FindBox } from "/assets/findbox.js";
import { OwnQuestions } from "/assets/ownquestions.js";
import {
    announce, armDeletion, busy, byID, call, clearError, keepFocus, make, notice, questionContent, requestID,
    show, showError, startPage,
} from "/assets/page.js";
import { Privacy } from "/assets/privacy.js";
import { QuestionList, setReplaying } from "/assets/questionlist.js";
import { showService } from "/assets/service.js";
import { boundLength, isBlank, mended, mendWhatIsWritten } from "/assets/written.js";

const sessionID = decodeURIComponent(location.pathname.split("/")[2] ?? "");
const sessionPath = `/v1/sessions/${encodeURIComponent(sessionID)}`;
const memoryKey = `samtal-participant-${sessionID}`;

let session = null;
let participant = JSON.parse(sessionStorage.getItem(memoryKey) ?? "null");  // {token, name, asked: ids of questions}
let pendingRequest = null;  // {text, id}: the same question sent again carries the same id
const mine = new Set(participant?.asked);  // ids of all the participant's own questions
const fresh = new Set();  // ids of questions that have just been published
const answers = new Map();  // id → how many answers a published question has
let caughtUp = false;

const privacy = new Privacy(sessionPath);
const published = new QuestionList(byID("questions"), {
    newestFirst: true, makeRow: publishedRow, rendered: () => {
        byID("empty").hidden = published.size > 0;
        findBox.update();
    },
});
const findBox = new FindBox({ questions: published });
/// The participant's own questions that are not published.
const own = new QuestionList(byID("own-list"), { newestFirst: true, makeRow: ownRow });
const waiting = new Set();  // ids of those that wait for a moderator
const ownQuestions = new OwnQuestions(sessionPath, {
    headers: participantHeaders, show: showOwn, removed: forgetQuestion, reset: forgetOwn,
    refused: forgetParticipant,
});

// Following

let position = "";  // of the last event seen
let wait = 1000;

function follow() {
    const source = new EventSource(`${sessionPath}/events?after=${position}`);
    const on = (name, act) => source.addEventListener(name, (event) => {
        if (event.lastEventId) position = event.lastEventId;
        act(JSON.parse(event.data));
    });
    source.onopen = () => {
        if (!byID("notice").hidden && wait > 1000) announce("notice.restored");
        wait = 1000;
        setReplaying(true);
        showSession();
    };
    on("session", (event) => { session = event.session; showSession(); });
    on("question", (event) => showQuestion(event.question));
    on("removed", (event) => removeQuestion(event.removedQuestionId));
    on("reset", forgetQuestions);
    on("caught-up", () => {
        caughtUp = true;
        setReplaying(false);
    });
    on("away", () => notice("notice.away"));
    on("back", () => {
        showSession();
        announce("notice.back");
    });
    on("gone", () => { source.close(); showGone(); });
    source.onerror = () => {
        setReplaying(false);
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
    privacy.show(session);
    byID("conversation").hidden = false;
    byID("join").hidden = state === "ENDED" || participant !== null;
    byID("ask").hidden = state !== "OPEN" || participant === null;
    keepWhereOneIs();
}

/// Whoever was at something that is shown no more is at the beginning of the page's content, and not before its header.
function keepWhereOneIs() {
    if (document.activeElement !== document.body) keepFocus(byID("content"));
}

function showGone() {
    sessionStorage.removeItem(memoryKey);
    session = null;
    participant = null;
    pendingRequest = null;
    ownQuestions.stop();
    byID("announcer").textContent = "";
    byID("join-form").reset();
    byID("ask-form").reset();
    clearError(byID("joined-as"));
    privacy.forget();
    for (const known of [mine, fresh, answers, waiting, own, published]) known.clear();
    findBox.clear();
    byID("own").hidden = true;
    byID("conversation").hidden = true;
    byID("state").hidden = true;
    clearError(byID("times"));
    show(byID("title"), "notice.gone");
    document.title = "Samtal";
    notice(null);
    keepWhereOneIs();
}

// Questions

/// Chat's store was restored: what was seen may never have been. All there is follows.
function forgetQuestions() {
    caughtUp = false;
    setReplaying(true);
    for (const known of [fresh, answers, waiting, own, published]) known.clear();
    findBox.clear();
    ownQuestions.list();
}

function showQuestion(question) {
    const id = question.questionId;
    const earlier = answers.get(id);
    const given = question.answers ?? [];
    answers.set(id, given.length);
    own.remove(id);
    setWaiting(id, false);
    if (caughtUp && earlier === undefined) {
        fresh.add(id);
        announce("questions.new", { text: question.text });
    } else if (caughtUp && given.length > earlier) {
        announce("questions.answered", { text: given[given.length - 1].text });
    }
    published.put(question);
}

function publishedRow(question) {
    const element = make("li", { className: "card" });
    if (fresh.delete(question.questionId)) element.classList.add("fresh");
    const update = (changed) => {
        const badge = mine.has(changed.questionId) && make("span", { className: "badge", key: "questions.yours" });
        element.replaceChildren(...questionContent(changed, badge));
        if (mine.has(changed.questionId)) element.append(...deletion(changed.questionId));
    };
    update(question);
    return { element, update };
}

/// What deletes one of the participant's own questions.
function deletion(id) {
    const error = make("p", { className: "error", role: "alert" });
    const button = make("button", { type: "button", className: "quiet danger" });
    armDeletion(button, async () => {
        clearError(error);
        try {
            await call("DELETE", `${sessionPath}/questions/${encodeURIComponent(id)}`, { headers: participantHeaders() ?? {} });
            forgetQuestion(id);
            announce("question.deleted");
        } catch (problem) {
            showError(error, problem);
        }
    });
    return [make("p", { className: "row actions" }, button), error];
}

/// A question of the participant's own is deleted.
function forgetQuestion(id) {
    mine.delete(id);
    if (participant) keepParticipant();
    answers.delete(id);
    published.remove(id);
    own.remove(id);
    setWaiting(id, false);
}

function removeQuestion(id) {
    answers.delete(id);
    published.remove(id);
    if (mine.has(id)) ownQuestions.list();
}

function ownRow(question) {
    const element = make("li", { className: "card" });
    const update = (changed) => {
        const badge = changed.state === "REJECTED"
            ? make("span", { className: "badge off", key: "own.REJECTED" })
            : make("span", { className: "badge waiting", key: "own.PENDING" });
        element.replaceChildren(...questionContent(changed, badge), ...deletion(changed.questionId));
    };
    update(question);
    return { element, update };
}

/// What follows says which of the participant's own there are.
function forgetOwn() {
    waiting.clear();
    own.clear();
}

/// One of the participant's own, as it is now. What is published is in the list for everybody, once it is there.
function showOwn(question) {
    const id = question.questionId;
    if (!mine.has(id)) {
        mine.add(id);
        keepParticipant();
        published.refresh(id);
    }
    const isPublished = question.state === "PUBLISHED" || answers.has(id);
    if (isPublished) own.remove(id);
    else own.put(question);
    setWaiting(id, !isPublished && question.state !== "REJECTED");
    byID("own").hidden = own.size === 0;
}

function setWaiting(id, isWaiting) {
    if (isWaiting) waiting.add(id);
    else waiting.delete(id);
    byID("own").hidden = own.size === 0;
    ownQuestions.setWaiting(waiting.size > 0);
}

/// nil for who has not joined.
function participantHeaders() {
    return participant && { "Samtal-Participant": participant.token };
}

// Joining and asking

function keepParticipant() {
    sessionStorage.setItem(memoryKey, JSON.stringify({ ...participant, asked: [...mine] }));
}

function forgetParticipant() {
    participant = null;
    sessionStorage.removeItem(memoryKey);
    ownQuestions.stop();
    waiting.clear();
    own.clear();
    byID("own").hidden = true;
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
        const isEarly = byID("ask").hidden;
        announce(isEarly ? "join.early" : "join.joined");
        if (isEarly) keepFocus(byID("content"));
        else byID("text").focus();
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
    try {
        const answer = await call("POST", `${sessionPath}/questions`, {
            body: { text: question, requestId: pendingRequest.id }, headers: participantHeaders(),
        });
        pendingRequest = null;
        byID("text").value = "";
        showOwn(answer);
        announce("ask.sent");
    } catch (problem) {
        // Who is to join anew reads why where that is done; what was written is still there afterwards.
        const isUnknown = problem.code === "UNAUTHENTICATED";
        if (isUnknown) forgetParticipant();
        showError(isUnknown ? byID("join-error") : error, problem);
    }
    if (byID("ask").hidden) keepFocus(byID(byID("join").hidden ? "content" : "name"));
    else byID("text").focus();
}

mendWhatIsWritten(byID("name"));
mendWhatIsWritten(byID("text"));
const nameFits = boundLength(byID("name"), 60);
const questionFits = boundLength(byID("text"), 2000);
byID("join-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = mended(byID("name").value, { oneLine: true }).trim();
    if (!nameFits()) return;
    if (!isBlank(name)) busy(event.submitter ?? event.target, () => join(name));
    else show(byID("join-error"), "join.nameless");
});
byID("join-anonymous").addEventListener("click", (event) => busy(event.target, () => join("")));
byID("ask-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = mended(byID("text").value).trim();
    if (!questionFits()) return;
    if (!isBlank(question)) return busy(byID("ask-form").querySelector("button"), () => ask(question));
    show(byID("ask-error"), "error.empty");
    byID("text").focus();
});

// Starting

async function start() {
    try {
        session = await call("GET", sessionPath);
    } catch (error) {
        if (error.status === 404 || error.status === 400) return showGone();
        notice([503, 504].includes(error.status) ? "notice.away" : "notice.lost");
        setTimeout(start, wait);
        wait = Math.min(wait * 2, 30000);
        return;
    }
    showSession();
    showParticipant();
    privacy.learn();
    ownQuestions.list();
    follow();
}

startPage();
showService();
start();
