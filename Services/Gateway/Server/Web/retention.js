// For how long the organisation keeps its sessions: the controller sets it here, after it has seen what that does to
// the sessions there are; and applies the cap of a new agreement to them in the same way.
import { account, callAsAdministrator } from "/assets/account.js";
import {
    announce, busy, byID, CallError, clearError, fillFacts, keepFocus, make, makeTime, show, showError,
} from "/assets/page.js";

const titlesAtOnce = 200;

let afterChange = () => {};
let agreement = null;
let policy = null;

function organisationPath() {
    return `/v1/organisations/${encodeURIComponent(account().administrator.organisationId)}`;
}

export async function showPolicy() {
    const list = byID("policy");
    byID("policy-form").hidden = true;
    byID("agreement-notice").hidden = true;
    clearError(byID("policy-error"));
    try {
        agreement = await callAsAdministrator("GET", `${organisationPath()}/agreement`);
        policy = await callAsAdministrator("GET", `${organisationPath()}/policy`);
    } catch (error) {
        const key = error instanceof CallError && ["NOT_FOUND", "FAILED_PRECONDITION"].includes(error.code)
            ? "policy.missing" : "error.UNAVAILABLE";
        list.replaceChildren(make("dd", { key }));
        return;
    }
    const days = policy.retentionDays ?? 0;
    const cap = agreement.capDays ?? 0;
    const { reference = "", signedDate: date = "" } = agreement;
    fillFacts(list, [
        ["policy.days", make("span", { key: days ? "policy.daysValue" : "policy.daysNone", values: { days } })],
        ["policy.cap", make("span", { key: "policy.capValue", values: { days: cap } })],
        ["policy.agreement", make("span", { key: "policy.agreementValue", values: { reference, date } })],
        ["policy.kind", agreement.kind && make("span", { key: `policy.kind.${agreement.kind}` })],
    ]);
    const field = byID("policy-days");
    field.max = cap;
    field.value = days;
    show(byID("policy-hint"), "policy.hint", { cap });
    byID("policy-form").hidden = false;
    if (agreement.confirmationPending) await showAgreement(cap);
}

/// That a new agreement waits to be confirmed, and what that would do.
async function showAgreement(cap) {
    show(byID("agreement-text"), "agreement.pending", { version: agreement.version ?? 0, cap });
    byID("agreement-counts").replaceChildren();
    byID("agreement-notice").hidden = false;
    fillCounts(byID("agreement-counts"), await callAsAdministrator("GET", `${organisationPath()}/agreement:preview`));
}

// What it would do

/// Shows a preview and asks. Returns what was confirmed, or null.
async function confirmed(preview, { title, isOutdated }) {
    const days = preview.retentionDays ?? 0;
    const { unendedSessions: unended = 0, movedSessions: moved = 0, erasedSessions: erased = 0 } = preview;
    show(byID("shorten-title"), title, { days });
    byID("shorten-outdated").hidden = !isOutdated;
    byID("shorten-nothing").hidden = unended + moved + erased > 0;
    fillCounts(byID("shorten-counts"), preview);
    await listSessions(preview);
    const asked = [
        arm("shorten-zero", title === "shorten.policyTitle" && days === 0 && (policy?.retentionDays ?? 0) > 0),
        arm("shorten-erase", erased > 0),
    ];
    show(byID("shorten-erase-text"), "shorten.erase", { count: erased });
    const yes = byID("shorten-yes");
    yes.className = asked.some((box) => box.needed) ? "danger" : "";
    show(yes, erased > 0 ? "shorten.yesErase" : "shorten.yes");
    const check = () => { yes.disabled = asked.some((box) => box.needed && !box.input.checked); };
    for (const box of asked) box.input.onchange = check;
    check();
    const dialog = byID("shorten-dialog");
    return new Promise((resume) => {
        dialog.addEventListener("close", () => {
            byID("shorten-sessions").replaceChildren();
            const { previewVersion } = preview;
            const answer = { expectedErasures: erased, previewVersion, confirmZeroDays: days === 0 };
            resume(dialog.returnValue === "yes" ? answer : null);
        }, { once: true });
        dialog.returnValue = "no";
        dialog.showModal();
    });
}

function fillCounts(list, { unendedSessions: unended = 0, movedSessions: moved = 0, erasedSessions: erased = 0 }) {
    fillFacts(list, [
        ["shorten.erased", erased && make("strong", { content: String(erased) })],
        ["shorten.moved", moved && make("span", { content: String(moved) })],
        ["shorten.unended", unended && make("span", { content: String(unended) })],
    ]);
}

function arm(id, needed) {
    byID(id).hidden = !needed;
    const input = byID(`${id}-box`);
    input.checked = false;
    return { input, needed };
}

/// The sessions that a preview names, under their titles, with both dates.
async function listSessions(preview) {
    const named = preview.sessions ?? [];
    const titles = named.length > 0 ? await sessionTitles() : new Map();
    byID("shorten-sessions").replaceChildren(...named.map((session) => make(
        "li", {},
        make("strong", { content: titles.get(session.sessionId) ?? session.sessionId, dir: "auto" }),
        make(
            "span", { className: "faint" }, makeTime(session.deleteTime, "dated"), " → ",
            session.erasedAtOnce ? make("strong", { key: "shorten.now" }) : makeTime(session.newDeleteTime, "dated"),
        ),
    )));
    const more = (preview.movedSessions ?? 0) + (preview.erasedSessions ?? 0) - named.length;
    byID("shorten-more").hidden = more <= 0;
    show(byID("shorten-more"), "shorten.more", { count: more });
}

async function sessionTitles() {
    try {
        const answer = await callAsAdministrator("GET", `/v1/sessions?page_size=${titlesAtOnce}`);
        return new Map((answer.sessions ?? []).map((session) => [session.sessionId, session.title]));
    } catch (error) {
        if (error instanceof CallError && error.status === 401) throw error;
        // The ids say which sessions are meant, too.
        return new Map();
    }
}

/// Previews, asks and does. When the sessions have changed meanwhile nothing is done, and it is shown and asked anew.
///
/// `done` is what is said when it is done.
async function shorten({ title, preview, act, done }) {
    for (let isOutdated = false; ; isOutdated = true) {
        const answer = await confirmed(await preview(), { title, isOutdated });
        if (!answer) return;
        try {
            await act(answer);
            break;
        } catch (error) {
            const reasons = ["ERASURES_UNCONFIRMED", "PREVIEW_OUTDATED", "AGREEMENT_SUPERSEDED"];
            if (!(error instanceof CallError) || !reasons.includes(error.reason)) throw error;
            if (error.reason === "AGREEMENT_SUPERSEDED") await showPolicy();
        }
    }
    await showPolicy();
    announce(done);
    show(byID("policy-done"), done);
    // What was pressed may be gone.
    keepFocus(byID("policy-title"));
    afterChange();
}

function attempt(button, act) {
    return busy(button, async () => {
        const error = byID("policy-error");
        clearError(error);
        clearError(byID("policy-done"));
        try {
            await act();
        } catch (problem) {
            showError(error, problem);
        }
    });
}

/// Arms the form and the notice, once; `changed` is called when sessions may have been shortened.
export function armPolicy({ changed }) {
    afterChange = changed;
    byID("policy-form").addEventListener("submit", (event) => {
        event.preventDefault();
        const days = Number(byID("policy-days").value);
        attempt(byID("policy-preview"), () => shorten({
            title: "shorten.policyTitle",
            done: "policy.saved",
            preview: () => callAsAdministrator("GET", `${organisationPath()}/policy:preview?retention_days=${days}`),
            act: (answer) => callAsAdministrator("PUT", `${organisationPath()}/policy`, { retentionDays: days, ...answer }),
        }));
    });
    byID("agreement-review").addEventListener("click", (event) => attempt(event.target, () => {
        let version = 0;
        return shorten({
            title: "shorten.agreementTitle",
            done: "agreement.confirmed",
            preview: async () => {
                const preview = await callAsAdministrator("GET", `${organisationPath()}/agreement:preview`);
                version = preview.agreementVersion ?? 0;
                return preview;
            },
            act: ({ expectedErasures, previewVersion }) => callAsAdministrator("POST", `${organisationPath()}/agreement:confirm`, {
                agreementVersion: version, expectedErasures, previewVersion,
            }),
        });
    }));
}
