// Keeps what somebody looks at where it is, while what lies above it changes.

/// What may be looked at: a bounded number of elements, in the order of the page.
const marks = "main h1, main h2, main form, main .feed > li";

/// Makes a change of the page, and scrolls by as much as it moved the first thing that was to be seen. At the very top of
/// the page nothing is kept: there, what is new comes into view.
///
/// Browsers do this by themselves, but not all of them, and not for rows that come and go as they are scrolled to; the
/// style sheet turns their way off.
export function keepPlace(change) {
    const seen = window.scrollY > 0 ? visibleMarks() : [];
    change();
    const kept = seen.find(({ element }) => element.isConnected && element.getClientRects().length > 0);
    if (!kept) return;
    const moved = kept.element.getBoundingClientRect().top - kept.top;
    if (Math.abs(moved) >= 1) window.scrollBy({ top: moved, behavior: "instant" });
}

function visibleMarks() {
    const seen = [];
    for (const element of document.querySelectorAll(marks)) {
        const { top, bottom, height } = element.getBoundingClientRect();
        if (height > 0 && bottom > 0 && top < window.innerHeight) seen.push({ element, top });
    }
    return seen;
}
