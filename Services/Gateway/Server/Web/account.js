// Who is signed in. The access token lives in memory alone; the refresh token in this tab's session storage, so that
// a reload does not sign the administrator out. Each refresh token works once: refreshes never overlap.
import { call, CallError } from "/assets/page.js";

const refreshKey = "samtal-refresh";
const margin = 60000;  // milliseconds before expiry at which the token is renewed

let current = null;  // {token, administrator, organisation}
let refreshing = null;
let timer = null;
let onSignedOut = () => {};

export function whenSignedOut(act) {
    onSignedOut = act;
}

export function account() {
    return current;
}

function keep(answer) {
    current = {
        token: answer.accessToken,
        administrator: answer.administrator ?? {},
        organisation: answer.organisationDisplayName ?? "",
    };
    sessionStorage.setItem(refreshKey, answer.refreshToken);
    const left = Date.parse(answer.accessTokenExpireTime) - Date.now();
    clearTimeout(timer);
    timer = setTimeout(() => refresh().catch(() => {}), Math.max(left - margin, left / 2, 5000));
}

function forget() {
    current = null;
    clearTimeout(timer);
    sessionStorage.removeItem(refreshKey);
}

export async function signIn(code) {
    keep(await call("POST", "/v1/sign-in", { body: { code } }));
}

/// Takes up where the tab left off; false if nobody was signed in.
export async function resume() {
    if (!sessionStorage.getItem(refreshKey)) return false;
    await refresh();
    return true;
}

function refresh() {
    refreshing ??= renew().finally(() => { refreshing = null; });
    return refreshing;
}

async function renew() {
    try {
        const refreshToken = sessionStorage.getItem(refreshKey) ?? "";
        keep(await call("POST", "/v1/tokens:refresh", { body: { refreshToken } }));
    } catch (error) {
        // Only a refusal ends the stay. When the server is away the token is still good, and is tried again.
        if (error instanceof CallError && (error.status === 401 || error.status === 400)) {
            forget();
            onSignedOut();
        } else if (current) {
            timer = setTimeout(() => refresh().catch(() => {}), 5000);
        }
        throw error;
    }
}

export async function signOut() {
    const refreshToken = sessionStorage.getItem(refreshKey);
    forget();
    if (refreshToken) await call("POST", "/v1/tokens:revoke", { body: { refreshToken } });
}

/// Forgets an account that is no more.
export function leave() {
    forget();
    onSignedOut();
}

export function authorization() {
    return { Authorization: `Bearer ${current?.token ?? ""}` };
}

/// Does something that needs the access token, and once more with a new one if the token is refused.
export async function withToken(act) {
    try {
        return await act(authorization());
    } catch (error) {
        if (!(error instanceof CallError) || error.status !== 401) throw error;
        await refresh();
        return act(authorization());
    }
}

export function callAsAdministrator(verb, path, body) {
    return withToken((headers) => call(verb, path, { body, headers }));
}
