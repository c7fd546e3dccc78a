// What the service says of itself: where it keeps data, as declared by whoever runs it, and whom to write to.
import { call, show } from "/assets/page.js";

/// The processes that each declare a region of their own.
const processes = 4;

let asked = null;

/// What the pages are told; nothing while that can't be had, and then it is asked for anew.
export function service() {
    asked ??= call("GET", "/configuration.json").catch(() => {
        asked = null;
        return {};
    });
    return asked;
}

/// Fills in the places of a page that say it.
export async function showService() {
    const { contact, support, declaredRegions: regions } = await service();
    for (const place of document.querySelectorAll(".regions")) {
        if (regions) show(place, "service.regions", { place: { regions, of: processes } });
        place.hidden = !regions;
    }
    for (const place of document.querySelectorAll(".contact")) fill(place, contact);
    for (const place of document.querySelectorAll(".support")) fill(place, support);
}

function fill(place, person) {
    place.hidden = !person;
    if (!person) return;
    const link = place.querySelector("a");
    link.href = `mailto:${person.address}`;
    link.textContent = person.name ? `${person.name}, ${person.address}` : person.address;
}
