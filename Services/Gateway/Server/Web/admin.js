// The administrators' page: signing in, the list of sessions, the policy, certificates. The address after # says
// what is shown: nothing for the list, session=ID, or certificate=ID.
import { armAdministrators, forgetAdministrators, listAdministrators } from "/assets/administrators.js";
import { account, callAsAdministrator, resume, signIn, signOut, whenSignedOut } from "/assets/account.js";
import {
    armCertificates, forgetCertificates, listCertificates, noteErased, showCertificate,
} from "/assets/certificates.js";
import { armSession, closeSession, openSession } from "/assets/moderation.js";
import {
    busy, byID, CallError, clearError, make, notice, show, showError, startPage,
} from "/assets/page.js";
import { armPolicy, showPolicy } from "/assets/retention.js";
import { service, showService } from "/assets/service.js";
import { armSignInCodes, forgetSignInCodes, listSignInCodes } from "/assets/signincodes.js";
import { boundLength, mended, mendWhatIsWritten } from "/assets/written.js";

const views = ["view-signin", "view-sessions", "view-session", "view-certificate"];
let publicURL = location.origin;

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
            await showCertificate(id);
            showView("view-certificate");
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

/// The code of a sign-in link; null if it holds none.
function codeIn(link) {
    return URL.canParse(link) ? new URLSearchParams(new URL(link).hash.slice(1)).get("code") : null;
}

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
    const code = codeIn(location.href);
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
    // The first of those that have come: the button may be gone.
    if (page) rows[0]?.querySelector("a").focus();
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

function showErased(erased) {
    noteErased(erased);
    location.hash = `certificate=${encodeURIComponent(erased.sessionId)}`;
}

// The page's own controls

byID("signin-form").addEventListener("submit", (event) => {
    event.preventDefault();
    // Whoever was sent a link may paste it whole.
    const written = byID("code").value.trim();
    busy(event.target.querySelector("button"), () => trade(codeIn(written) ?? written));
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
const titleFits = boundLength(byID("session-title"), 200);
byID("create-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const error = byID("create-error");
    clearError(error);
    if (!titleFits()) return;
    await busy(event.target.querySelector("button"), async () => {
        try {
            const title = mended(byID("session-title").value, { oneLine: true }).trim();
            const session = await callAsAdministrator("POST", "/v1/sessions", { title });
            byID("session-title").value = "";
            location.hash = `session=${encodeURIComponent(session.sessionId)}`;
        } catch (problem) {
            showError(error, problem);
        }
    });
});
window.addEventListener("hashchange", showPlace);
whenSignedOut(() => {
    closeSession();
    forgetAdministrators();
    forgetSignInCodes();
    // What was shown to whoever was signed in is not left lying in the page.
    for (const list of ["sessions", "policy"]) byID(list).replaceChildren();
    forgetCertificates();
    document.title = "Samtal";
    showView("view-signin");
    show(byID("signin-error"), "signin.over");
});

startPage();
mendWhatIsWritten(byID("session-title"));
armCertificates();
armSession();
armPolicy({ changed: showChanges });
armAdministrators();
armSignInCodes();
begin();
