// What people write and paste: what can't be seen and would be refused is mended or taken out before it is sent, and what is
// too long stays whole and is not sent.
import { clearError, make, show } from "/assets/page.js";

/// Office programs put VT for a line break within a paragraph, and FF and SO for a new page and column.
const breaks = /\r\n|[\r\n\v\f\u000e\u0085\u2028\u2029]/g;
/// Their own hyphens, and what stands for them.
const hyphens = { "\u001e": "\u2011", "\u001f": "\u00ad" };
/// Control characters but for tab and line feed, marks of byte order, what turns the order of letters around, and what is
/// no character.
const unseen = /[\u0000-\u0008\u000b-\u001d\u007f-\u009f\ufeff\u202d\u202e\ufdd0-\ufdef\ufffe\uffff]|\p{Surrogate}/gu;

/// The text as it is to be kept. In one line, line breaks and tabs are a space.
export function mended(text, { oneLine = false } = {}) {
    const whole = text.replace(breaks, "\n").replace(/[\u001e\u001f]/g, (hyphen) => hyphens[hyphen]).replace(unseen, "");
    return oneLine ? whole.replace(/[\n\t]+/g, " ") : whole;
}

/// Whether nothing of the text can be seen: only spaces, controls, marks without a letter, and what is invisible by design.
export function isBlank(text) {
    return /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}\p{M}\u2800]*$/u.test(text);
}

/// Mends whatever gets into this field, as it gets there.
export function mendWhatIsWritten(field) {
    const oneLine = field.tagName === "INPUT";
    const within = (text) => mended(text, { oneLine });
    field.dir = "auto";
    field.addEventListener("paste", (event) => {
        const pasted = event.clipboardData?.getData("text/plain") ?? "";
        if (within(pasted) === pasted.replace(/\r\n/g, "\n")) return;
        event.preventDefault();
        // The one way in which the browser's own undoing still works; elsewhere it is put there by hand.
        if (document.execCommand?.("insertText", false, within(pasted))) return;
        field.setRangeText(within(pasted), field.selectionStart, field.selectionEnd, "end");
        field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    field.addEventListener("input", (event) => {
        if (event.isComposing || within(field.value) === field.value) return;
        const caret = within(field.value.slice(0, field.selectionStart)).length;
        field.value = within(field.value);
        field.setSelectionRange(caret, caret);
    });
    return field;
}

/// How many characters, as a reader sees them, the text has over so many.
function excess(text, most) {
    if (text.length <= most) return 0;
    let count = 0;
    for (const _ of new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text)) count += 1;
    return Math.max(0, count - most);
}

/// Says below a field how many characters are too many. Nothing that is typed or pasted is cut: where it would be, one can't
/// see what is missing. Returns a function that says whether what is written fits; if it doesn't, the field gets the focus.
export function boundLength(field, most) {
    const place = make("p", { id: `${field.id}-excess`, className: "error", role: "status" });
    field.after(place);
    field.setAttribute("aria-describedby", `${place.id} ${field.getAttribute("aria-describedby") ?? ""}`.trim());
    const check = () => {
        const count = excess(mended(field.value, { oneLine: field.tagName === "INPUT" }).trim(), most);
        field.ariaInvalid = count > 0 ? "true" : null;
        if (count > 0) show(place, "error.excess", { count: { number: count }, most: { number: most } });
        else clearError(place);
        return count === 0;
    };
    field.addEventListener("input", check);
    field.form?.addEventListener("reset", () => setTimeout(check));
    check();
    return () => {
        const fits = check();
        if (!fits) field.focus();
        return fits;
    };
}
