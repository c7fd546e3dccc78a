// The certificates of erasure: the organisation's, newest first, and one of them whole.
import { account, callAsAdministrator } from "/assets/account.js";
import { save } from "/assets/moderation.js";
import { byID, CallError, fillFacts, make, makeTime, notice, showError } from "/assets/page.js";

let certificate = null;

/// Shows the certificates, a page at a time.
export async function listCertificates(page = "") {
    const organisation = encodeURIComponent(account().administrator.organisationId);
    const query = new URLSearchParams({ page_size: "50", newest_first: "true", ...(page && { page_token: page }) });
    let answer;
    try {
        answer = await callAsAdministrator("GET", `/v1/organisations/${organisation}/certificates?${query}`);
    } catch (error) {
        // The rest of the view does without them.
        if (page || (error instanceof CallError && error.status === 401)) throw error;
        answer = {};
    }
    const rows = (answer.certificates ?? []).map(row);
    const list = byID("certificates");
    if (page) list.append(...rows);
    else list.replaceChildren(...rows);
    byID("no-certificates").hidden = list.children.length > 0;
    const more = byID("more-certificates");
    more.hidden = !answer.nextPageToken;
    more.onclick = async () => {
        try {
            await listCertificates(answer.nextPageToken);
        } catch (error) {
            notice("error.other", "danger");
            showError(byID("notice"), error);
        }
    };
    // The first of those that have come: the button may be gone.
    if (page) rows[0]?.querySelector("a").focus();
}

function row(entry) {
    return make("li", {}, make(
        "a", { href: `#certificate=${encodeURIComponent(entry.sessionId)}` },
        make("strong", { key: "certificates.item", values: { sequence: entry.sequence } }),
        makeTime(entry.eraseTime, "dated"),
        entry.requester === "OPERATOR_ON_INSTRUCTION"
            && make("span", { className: "faint", key: "certificates.instruction", values: { text: entry.instruction } }),
    ));
}

/// Keeps the certificate of a session that has just been erased here: it is shown next.
export function noteErased(erased) {
    certificate = erased;
}

/// Shows the certificate of a session's erasure.
export async function showCertificate(sessionID) {
    if (certificate?.sessionId !== sessionID) {
        certificate = await callAsAdministrator("GET", `/v1/sessions/${encodeURIComponent(sessionID)}/certificate`);
    }
    const said = statement(certificate);
    const declared = said.declared_regions;
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
        ...evidenceFacts(said),
        ...ledgerFacts(said),
        ["certificate.regions", declared && make("span", { key: "place", values: { place: { regions: declared, of: 2 } } })],
        ["certificate.key", make("code", { content: certificate.keyId ?? "" })],
    ]);
    byID("statement").textContent = certificate.statement ?? "";
    byID("signature").textContent = certificate.signature ?? "";
}

/// What a certificate says, by name; nothing where it can't be read.
function statement(certificate) {
    try {
        return JSON.parse(certificate.statement) ?? {};
    } catch {
        return {};
    }
}

/// What was seen of the erasure, in plain words.
function evidenceFacts({ counts, evidence }) {
    if (!evidence) return [];
    const { keys, content } = evidence;
    const words = (key, values) => make("span", { key, values });
    return [
        ["certificate.keys", keys.slots > 0
            ? words("certificate.keysOverwritten", { slots: keys.slots }) : words("certificate.keysGone")],
        ["certificate.medium", keys.risks.length > 0
            ? words("certificate.mediumUnsafe", { medium: keys.medium, risks: keys.risks.join(", ") })
            : make("span", { content: keys.medium })],
        ["certificate.content", words(`certificate.found.${content.found}`, { files: content.files, bytes: content.bytes })],
        ["certificate.questions", counts && make("span", { content: counts.questions })],
        ["certificate.answers", counts && make("span", { content: counts.answers })],
    ];
}

/// What is said of the ledger itself, where that was not simply certificate after certificate.
function ledgerFacts({ gap_after: after, key_copies_until: copies, restored, sequence }) {
    return [
        ["certificate.keyCopies", copies && make(
            "span", {}, makeTime(copies, "dated"), make("span", { key: "certificate.keyCopiesUntil" }),
        )],
        ["certificate.missing", after !== undefined && make(
            "span", { key: "certificate.missingNumbers", values: { count: sequence - 1 - after, first: after + 1, last: sequence - 1 } },
        )],
        ["certificate.restored", restored && make("span", {}, makeTime(restored.time, "dated"), make("span", {
            key: "certificate.restoredWhat", values: restored,
        }))],
    ];
}

/// Takes what was shown out of the page.
export function forgetCertificates() {
    certificate = null;
    for (const list of ["certificates", "certificate-facts"]) byID(list).replaceChildren();
    for (const place of ["statement", "signature"]) byID(place).textContent = "";
}

/// Arms the download, once.
export function armCertificates() {
    byID("download-certificate").addEventListener("click", () => {
        // The form that `samtal verify` reads.
        const { keyId, signature, statement } = certificate;
        const file = { format: "samtal-certificate", version: 1, certificate: { key_id: keyId, signature, statement } };
        const blob = new Blob([`${JSON.stringify(file, null, 2)}\n`], { type: "application/json" });
        save(blob, `samtal-${certificate.sessionId}.certificate.json`);
    });
}
