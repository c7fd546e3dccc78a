// The organisation's administrators: who they are, and how one is added, let in and removed.
import { account, callAsAdministrator, leave } from "/assets/account.js";
import { announce, byID, clearError, make, show, showError } from "/assets/page.js";
import { makeLink } from "/assets/signincodes.js";

let chosen = null;  // who the dialog asks about

function path(administrator) {
    const organisation = `/v1/organisations/${encodeURIComponent(account().administrator.organisationId)}`;
    return `${organisation}/administrators${administrator ? `/${encodeURIComponent(administrator)}` : ""}`;
}

/// Shows the administrators, a page at a time.
export async function listAdministrators(page = "") {
    const query = new URLSearchParams({ page_size: "50", ...(page && { page_token: page }) });
    const answer = await callAsAdministrator("GET", `${path()}?${query}`);
    const found = answer.administrators ?? [];
    const list = byID("administrators");
    if (page) list.append(...found.map(row));
    else list.replaceChildren(...found.map(row));
    const isAlone = list.children.length < 2 && !answer.nextPageToken;
    for (const button of list.querySelectorAll(".danger")) button.hidden = isAlone;
    byID("administrators-alone").hidden = !isAlone;
    // The first of those that have come: the button may be gone.
    if (page) (list.children[list.children.length - found.length]?.querySelector("button") ?? list).focus();
    const more = byID("more-administrators");
    more.hidden = !answer.nextPageToken;
    more.onclick = () => listAdministrators(answer.nextPageToken).catch((error) => {
        showError(byID("administrators-error"), error);
    });
}

/// Takes the names out of the page when nobody is signed in any more.
export function forgetAdministrators() {
    byID("administrators").replaceChildren();
    byID("remove-dialog").close();
    byID("add-form").reset();
    chosen = null;
    for (const place of ["remove-title", "remove-text", "remove-self", "administrators-error"]) clearError(byID(place));
}

function row(administrator) {
    const name = administrator.displayName ?? "";
    // Every row has the same button: which one it is, is said to who can't see the row.
    const id = `name-${administrator.administratorId}`;
    const remove = make("button", {
        type: "button", className: "danger", key: "administrators.remove", "aria-describedby": id,
    });
    remove.addEventListener("click", () => ask(administrator));
    const link = make("button", {
        type: "button", className: "quiet", key: "administrators.link", "aria-describedby": id,
    });
    link.addEventListener("click", () => letIn(administrator));
    return make(
        "li", { className: "row apart" },
        make(
            "div", {},
            make("strong", { id, dir: "auto", content: name }),
            isSelf(administrator) && make("span", { className: "badge", key: "administrators.you" }),
            make("div", { className: "faint wraps", content: administrator.email ?? "" }),
        ),
        make("div", { className: "row" }, link, remove),
    );
}

async function letIn(administrator) {
    const error = byID("administrators-error");
    clearError(error);
    try {
        await makeLink(administrator);
    } catch (problem) {
        if (account()) showError(error, problem);
    }
}

async function add(event) {
    event.preventDefault();
    const error = byID("administrators-error");
    clearError(error);
    const [email, displayName] = [byID("new-email"), byID("new-name")].map((field) => field.value.trim());
    try {
        await callAsAdministrator("POST", path(), { email, displayName });
        event.target.reset();
        await listAdministrators();
        announce("administrators.added", { name: displayName });
    } catch (problem) {
        if (account()) showError(error, problem);
    }
}

function isSelf(administrator) {
    return administrator.administratorId === account()?.administrator.administratorId;
}

function ask(administrator) {
    chosen = administrator;
    clearError(byID("administrators-error"));
    const values = { name: administrator.displayName ?? "", email: administrator.email ?? "" };
    show(byID("remove-title"), "remove.title", values);
    show(byID("remove-text"), "remove.text", values);
    byID("remove-self").hidden = !isSelf(administrator);
    byID("remove-dialog").returnValue = "";
    byID("remove-dialog").showModal();
}

async function remove(administrator) {
    const error = byID("administrators-error");
    const self = isSelf(administrator);
    try {
        await callAsAdministrator("DELETE", path(administrator.administratorId));
        // Nothing is left to be signed in as.
        if (self) return leave();
        await listAdministrators();
        announce("administrators.removed", { name: administrator.displayName ?? "" });
        byID("administrators-title").focus();
    } catch (problem) {
        if (account()) showError(error, problem);
    }
}

/// Arms the dialog and the form.
export function armAdministrators() {
    byID("add-form").addEventListener("submit", add);
    byID("remove-dialog").addEventListener("close", () => {
        const administrator = chosen;
        chosen = null;
        if (administrator && byID("remove-dialog").returnValue === "yes") remove(administrator);
    });
}
