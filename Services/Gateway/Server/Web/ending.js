// What an administrator is led through when a session has ended: export it, see that the export has come, erase it; or
// leave it to be erased by itself.
import { callAsAdministrator } from "/assets/account.js";
import { byID, CallError, make, makeTime, show } from "/assets/page.js";

// By session, for as long as this page is open: nothing of it is stored.
const exported = new Set();
const received = new Set();

let current = null;

/// Shows the steps of a session that has ended, and nothing for any other or none.
export function showEnding(session) {
    current = session;
    const hasEnded = session?.state === "ENDED";
    byID("ending").hidden = !hasEnded;
    byID("run-buttons").hidden = hasEnded;
    if (!hasEnded) return;
    const id = session.sessionId;
    byID("ending-exported").hidden = !exported.has(id);
    byID("ending-received").checked = received.has(id);
    byID("ending-received").disabled = !exported.has(id);
    byID("ending-export").className = exported.has(id) ? "quiet" : "";
    byID("ending-leave").replaceChildren(
        make("span", { key: "ending.leave" }), " ",
        session.deleteTime ? make("strong", {}, makeTime(session.deleteTime, "dated")) : "",
    );
}

/// The export has been handed to the browser.
export function noteExported(id) {
    exported.add(id);
    if (current?.sessionId === id) showEnding(current);
}

/// Whether an ended session would be erased without anybody having said that its export came.
export function isUnreceived(session) {
    return session.state === "ENDED" && !received.has(session.sessionId);
}

/// What ending will mean, in the dialog that asks: a session that is kept for no days is gone with it, so that has to be
/// said to be meant.
export function showBeforeEnd(session) {
    const days = session.retentionDays ?? 0;
    show(byID("end-until"), "end.until", { days });
    byID("end-until").hidden = days === 0;
    byID("end-zero").hidden = days > 0;
    const box = byID("end-zero-box");
    box.checked = false;
    const yes = byID("end-yes");
    yes.className = days > 0 ? "" : "danger";
    box.onchange = () => { yes.disabled = days === 0 && !box.checked; };
    box.onchange();
}

/// How long to wait for a certificate, in milliseconds, before it is asked for again.
const waits = [500, 500, 1000, 1000, 2000, 2000, 5000, 5000, 10000, 10000];

/// The certificate of a session that is being erased, as soon as there is one; null when that takes too long, or when
/// `goesOn()` says that nobody wants it any more.
export async function certificateOf(id, goesOn) {
    for (const wait of waits) {
        try {
            return await callAsAdministrator("GET", `/v1/sessions/${encodeURIComponent(id)}/certificate`);
        } catch (error) {
            if (!(error instanceof CallError) || error.status === 401) throw error;
        }
        await new Promise((resume) => { setTimeout(resume, wait); });
        if (!goesOn()) break;
    }
    return null;
}

/// Arms the steps, once. `act` runs what a button does, and shows how it fails.
export function armEnding({ act, exportSession, eraseSession }) {
    byID("ending-export").addEventListener("click", (event) => act(event.target, exportSession));
    byID("ending-erase").addEventListener("click", (event) => act(event.target, eraseSession));
    byID("ending-received").addEventListener("change", (event) => {
        if (!current) return;
        if (event.target.checked) received.add(current.sessionId);
        else received.delete(current.sessionId);
    });
}
