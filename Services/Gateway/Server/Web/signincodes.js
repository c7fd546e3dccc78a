// The links that administrators sign in with: making one, who made which and what became of it, and revoking one. What
// the operator made is said at the top of the page, whatever is shown below.
import { account, callAsAdministrator } from "/assets/account.js";
import { byID, CallError, clearError, make, makeTime, show, showError } from "/assets/page.js";
import { service } from "/assets/service.js";

const pause = 300000;  // milliseconds between two looks at what the operator has made
const open = ["NOT_YET_USABLE", "USABLE"];
const longest = 50 * 3600000;  // milliseconds from the making of a code until none works any more, and some

function path(rest = "") {
    return `/v1/organisations/${encodeURIComponent(account().administrator.organisationId)}/sign-in-codes${rest}`;
}

/// Shows the codes, a page at a time, and what the operator has made.
export async function listSignInCodes(page = "") {
    const query = new URLSearchParams({ page_size: "50", ...(page && { page_token: page }) });
    const answer = await callAsAdministrator("GET", `${path()}?${query}`);
    const found = answer.signInCodes ?? [];
    const list = byID("codes");
    if (page) list.append(...found.map(row));
    else {
        list.replaceChildren(...found.map(row));
        showOperators(await recent(answer));
    }
    const more = byID("more-codes");
    more.hidden = !answer.nextPageToken;
    more.onclick = () => listSignInCodes(answer.nextPageToken).catch((error) => showError(byID("codes-error"), error));
}

/// Every code that may still work, whichever page it is on: others that were made since hide none.
async function recent(answer) {
    const found = [...(answer.signInCodes ?? [])];
    while (answer.nextPageToken && Date.now() - Date.parse(found.at(-1)?.createTime) < longest) {
        const query = new URLSearchParams({ page_size: "50", page_token: answer.nextPageToken });
        answer = await callAsAdministrator("GET", `${path()}?${query}`);
        found.push(...(answer.signInCodes ?? []));
    }
    return found;
}

/// Takes what was shown out of the page when nobody is signed in any more.
export function forgetSignInCodes() {
    for (const list of ["codes", "operator-codes"]) byID(list).replaceChildren();
    byID("operator-notice").hidden = true;
    forgetLink();
    byID("link-dialog").close();
    clearError(byID("codes-error"));
}

function forgetLink() {
    byID("new-link").value = "";
    clearError(byID("link-title"));
}

/// The operator's codes that work, or will: whoever doesn't know of one has to hear of it.
function showOperators(codes) {
    const waiting = codes.filter((code) => code.maker === "OPERATOR" && open.includes(code.state));
    byID("operator-notice").hidden = waiting.length === 0;
    byID("operator-codes").replaceChildren(...waiting.map((code) => make(
        "li", { className: "row apart" },
        make("div", {}, make("p", {
            key: code.instruction ? "codes.instructed" : "codes.operatorMade",
            values: { ...names(code), instruction: code.instruction ?? "", time: { time: code.usableTime }, until: { time: code.expireTime } },
        })),
        revokeButton(code),
    )));
}

function names(code) {
    return { name: code.administrator?.displayName ?? "", maker: code.madeBy?.displayName ?? "" };
}

function row(code) {
    const made = code.maker === "OPERATOR" ? "codes.byOperator" : code.madeBy ? "codes.byAdministrator" : "codes.byFormer";
    const time = { NOT_YET_USABLE: code.usableTime, USABLE: code.expireTime }[code.state] ?? code.endTime;
    return make(
        "li", { className: "row apart" },
        make(
            "div", {},
            code.administrator
                ? make("strong", { dir: "auto", content: code.administrator.displayName ?? "" })
                : make("strong", { key: "codes.former" }),
            make("span", { className: `badge ${open.includes(code.state) ? "waiting" : ""}`, key: `codes.${code.state}` }),
            make("div", { className: "faint wraps" }, make("span", { key: made, values: names(code) }), " ", makeTime(code.createTime, "dated")),
            time && make("div", { className: "faint" }, make("span", { key: `codes.time.${code.state}` }), " ", makeTime(time, "dated")),
            code.instruction && make("div", { className: "faint wraps", key: "codes.instruction", values: { text: code.instruction } }),
        ),
        open.includes(code.state) && revokeButton(code),
    );
}

function revokeButton(code) {
    const button = make("button", { type: "button", className: "danger", key: "codes.revoke" });
    button.addEventListener("click", async () => {
        clearError(byID("codes-error"));
        try {
            await callAsAdministrator("POST", path(`/${encodeURIComponent(code.signInCodeId)}:revoke`), {});
            await listSignInCodes();
        } catch (problem) {
            if (account()) showError(byID("codes-error"), problem);
        }
    });
    return button;
}

/// Makes a link for an administrator and shows it, this once.
export async function makeLink(administrator) {
    const code = await callAsAdministrator("POST", path(), { email: administrator.email });
    const { publicUrl } = await service();
    // In the fragment, which browsers never send.
    byID("new-link").value = `${publicUrl ?? location.origin}/admin#code=${code.code}`;
    show(byID("link-title"), "codes.linkTitle", { name: administrator.displayName ?? "" });
    show(byID("copy-link"), "about.copy");
    byID("link-dialog").showModal();
    byID("new-link").select();
    await listSignInCodes();
}

/// Arms the dialog, and goes on looking at what the operator makes while the page is open.
export function armSignInCodes() {
    byID("copy-link").addEventListener("click", async () => {
        try {
            await navigator.clipboard.writeText(byID("new-link").value);
            show(byID("copy-link"), "about.copied");
        } catch {
            byID("new-link").select();
        }
    });
    byID("link-dialog").addEventListener("close", forgetLink);
    setInterval(() => {
        if (!account()) return;
        listSignInCodes().catch((error) => {
            if (!(error instanceof CallError)) throw error;
        });
    }, pause);
}
