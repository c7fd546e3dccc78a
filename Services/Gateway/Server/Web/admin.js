// The administrators' page: signing in, the list of sessions, the policy, certificates. The address after # says
// what is shown: nothing for the list, session=ID, or certificate=ID.
import { armAdministrators, forgetAdministrators, listAdministrators } from "/assets/administrators.js";
import { account, callAsAdministrator, resume, signIn, signOut, whenSignedOut } from "/assets/account.js";
import { armSession, closeSession, openSession, save } from "/assets/moderation.js";
import {
    byID, CallError, clearError, fillFacts, make, makeTime, notice, show, showError, startPage,
} from "/assets/page.js";
import { armPolicy, showPolicy } from "/assets/retention.js";
import { service, showService } from "/assets/service.js";
import { armSignInCodes, forgetSignInCodes, listSignInCodes } from "/assets/signincodes.js";
import { mendWhatIsWritten } from "/assets/written.js";

const views = ["view-signin", "view-sessions", "view-session", "view-certificate"];
let publicURL = location.origin;
let certificate = null;

function showView(id) {
    for (const view of views) byID(view).hidden = view !== id;
    byID("sign-out").hidden = account() === null;
    const person = account();
    if (person) {
        const name = person.administrator.displayName ?? "";
        show(byID("who"), "signin.who", { name, organisation: person.organisation });
    } else {
        clearError(byID("who"));
    }
}

function organisationPath() {
    return `/v1/organisations/${encodeURIComponent(account().administrator.organisationId)}`;
}

// Where we are

/// What the address names: a kind and an identifier, or nothing.
function place() {
    try {
        return location.hash.slice(1).split("=").map(decodeURIComponent);
    } catch {
        return [];
    }
}

async function showPlace() {
    notice(null);
    closeSession();
    document.title = "Samtal";
    if (!account()) {
        forgetAdministrators();
        forgetSignInCodes();
        return showView("view-signin");
    }
    // On every view, and none waits for it.
    listSignInCodes().catch((error) => {
        if (!(error instanceof CallError)) throw error;
    });
    const [kind, id] = place();
    try {
        if (kind === "session" && id) {
            await openSession(id, { link: publicURL, erased: showErased });
            showView("view-session");
        } else if (kind === "certificate" && id) {
            await openCertificate(id);
        } else {
            showView("view-sessions");
            await Promise.all([listSessions(), showPolicy(), listCertificates(), listAdministrators()]);
        }
    } catch (error) {
        if (error instanceof CallError && error.status === 401) return;
        const isGone = kind && error instanceof CallError && [400, 404].includes(error.status);
        // What was shown before is about something else. The list is the way on.
        if (kind) {
            showView("view-sessions");
            await Promise.allSettled([listSessions(), showPolicy(), listCertificates(), listAdministrators()]);
        }
        if (isGone) notice("notice.gone");
        else {
            notice("error.other", "danger");
            showError(byID("notice"), error);
        }
    }
    byID("content").focus({ preventScroll: true });
}

// Signing in

async function trade(code) {
    const error = byID("signin-error");
    clearError(error);
    try {
        await signIn(code);
        byID("code").value = "";
        await showPlace();
    } catch (problem) {
        showView("view-signin");
        if (problem instanceof CallError && problem.reason === "SIGN_IN_CODE_NOT_YET_USABLE") show(error, "signin.notYet");
        else if (problem instanceof CallError && [400, 401].includes(problem.status)) show(error, "signin.failed");
        else showError(error, problem);
    }
}

async function begin() {
    // Without it the address that this page came from does just as well.
    publicURL = (await service()).publicUrl ?? publicURL;
    showService();
    const code = new URLSearchParams(location.hash.slice(1)).get("code");
    if (code) {
        // The code leaves the address, and with it the browser's history, before anything else happens.
        history.replaceState(null, "", location.pathname);
        return trade(code);
    }
    try {
        await resume();
    } catch (error) {
        showView("view-signin");
        if (error instanceof CallError && error.status !== 401) showError(byID("signin-error"), error);
        return;
    }
    await showPlace();
}

// The list

async function listSessions(page = "") {
    const query = new URLSearchParams({ page_size: "50", ...(page && { page_token: page }) });
    const answer = await callAsAdministrator("GET", `/v1/sessions?${query}`);
    const rows = (answer.sessions ?? []).map((session) => {
        const phase = session.state ?? "DRAFT";
        return make("li", {}, make(
            "a", { href: `#session=${encodeURIComponent(session.sessionId)}` },
            make("strong", { content: session.title ?? "", dir: "auto" }),
            make("span", { className: `badge ${phase === "OPEN" ? "live" : ""}`, key: `state.${phase}` }),
        ));
    });
    const list = byID("sessions");
    if (page) list.append(...rows);
    else list.replaceChildren(...rows);
    byID("no-sessions").hidden = list.children.length > 0;
    const more = byID("more-sessions");
    more.hidden = !answer.nextPageToken;
    more.onclick = () => listSessions(answer.nextPageToken);
}

/// What a shorter retention time erases is gone within moments, and its certificate is there then.
async function showChanges() {
    for (const wait of [0, 1000, 4000]) {
        await new Promise((resume) => { setTimeout(resume, wait); });
        if (byID("view-sessions").hidden) return;
        try {
            await Promise.all([listSessions(), listCertificates()]);
        } catch (error) {
            if (!(error instanceof CallError)) throw error;
        }
    }
}

// Certificates

async function listCertificates() {
    const found = [];
    let page = "";
    try {
        for (let pages = 0; pages < 20; pages += 1) {
            const query = new URLSearchParams({ page_size: "200", ...(page && { page_token: page }) });
            const answer = await callAsAdministrator("GET", `${organisationPath()}/certificates?${query}`);
            found.push(...(answer.certificates ?? []));
            page = answer.nextPageToken ?? "";
            if (!page) break;
        }
    } catch (error) {
        if (error instanceof CallError && error.status === 401) throw error;
    }
    byID("no-certificates").hidden = found.length > 0;
    byID("certificates").replaceChildren(...found.reverse().map((entry) => make("li", {}, make(
        "a", { href: `#certificate=${encodeURIComponent(entry.sessionId)}` },
        make("strong", { key: "certificates.item", values: { sequence: entry.sequence } }),
        makeTime(entry.eraseTime, "dated"),
        entry.requester === "OPERATOR_ON_INSTRUCTION"
            && make("span", { className: "faint", key: "certificates.instruction", values: { text: entry.instruction } }),
    ))));
}

async function openCertificate(sessionID) {
    if (certificate?.sessionId !== sessionID) {
        certificate = await callAsAdministrator("GET", `/v1/sessions/${encodeURIComponent(sessionID)}/certificate`);
    }
    const declared = declaredRegions(certificate);
    fillFacts(byID("certificate-facts"), [
        ["certificate.session", make("code", { content: certificate.sessionId })],
        ["certificate.sequence", make("span", { content: certificate.sequence ?? "" })],
        ["certificate.time", certificate.eraseTime && makeTime(certificate.eraseTime, "dated")],
        ["certificate.trigger", certificate.trigger && make("span", { key: `certificate.trigger.${certificate.trigger}` })],
        ["certificate.requester", certificate.requester && make(
            "span", { key: `certificate.requester.${certificate.requester}` },
        )],
        ["certificate.instruction", certificate.instruction && make(
            "span", { dir: "auto", content: certificate.instruction },
        )],
        ["certificate.regions", declared && make("span", { key: "place", values: { place: { regions: declared, of: 2 } } })],
        ["certificate.key", make("code", { content: certificate.keyId ?? "" })],
    ]);
    byID("statement").textContent = certificate.statement ?? "";
    byID("signature").textContent = certificate.signature ?? "";
    showView("view-certificate");
}

/// Where the session was kept, as its certificate says; null where it doesn't.
function declaredRegions({ statement }) {
    try {
        return JSON.parse(statement).declared_regions ?? null;
    } catch {
        return null;
    }
}

function showErased(erased) {
    certificate = erased;
    location.hash = `certificate=${encodeURIComponent(erased.sessionId)}`;
}

// The page's own controls

byID("signin-form").addEventListener("submit", (event) => {
    event.preventDefault();
    trade(byID("code").value.trim());
});
byID("sign-out").addEventListener("click", async () => {
    history.replaceState(null, "", location.pathname);
    try {
        await signOut();
    } catch {
        // The tokens are forgotten here in any case, and run out by themselves.
    }
    await showPlace();
});
byID("create-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = byID("create-error");
    clearError(error);
    const button = event.target.querySelector("button");
    button.disabled = true;
    try {
        const session = await callAsAdministrator("POST", "/v1/sessions", { title: byID("session-title").value.trim() });
        byID("session-title").value = "";
        location.hash = `session=${encodeURIComponent(session.sessionId)}`;
    } catch (problem) {
        showError(error, problem);
    } finally {
        button.disabled = false;
    }
});
byID("download-certificate").addEventListener("click", () => {
    // The form that `samtal verify` reads.
    const { keyId, signature, statement } = certificate;
    const file = { format: "samtal-certificate", version: 1, certificate: { key_id: keyId, signature, statement } };
    const blob = new Blob([`${JSON.stringify(file, null, 2)}\n`], { type: "application/json" });
    save(blob, `samtal-${certificate.sessionId}.certificate.json`);
});
window.addEventListener("hashchange", showPlace);
whenSignedOut(() => {
    closeSession();
    forgetAdministrators();
    forgetSignInCodes();
    // What was shown to whoever was signed in is not left lying in the page.
    for (const list of ["sessions", "certificates", "policy", "certificate-facts"]) byID(list).replaceChildren();
    for (const place of ["statement", "signature"]) byID(place).textContent = "";
    document.title = "Samtal";
    showView("view-signin");
    show(byID("signin-error"), "signin.over");
});

startPage();
mendWhatIsWritten(byID("session-title"));
armSession();
armPolicy({ changed: showChanges });
armAdministrators();
armSignInCodes();
begin();
