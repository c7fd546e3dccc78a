// Who is responsible for what is asked in a session, and until when it is kept, as far as it is known (GDPR Art. 13).
import { byID, call, clearError, show } from "/assets/page.js";

export class Privacy {
    #path;
    #session = null;
    #controller = null;  // what the organisation is called that is responsible, once it is known
    #wait = 2000;

    /// - `path`: the session's.
    constructor(path) {
        this.#path = path;
    }

    show(session) {
        this.#session = session;
        const until = byID("privacy-until");
        const days = session.retentionDays ?? 0;
        if (session.deleteTime) show(until, "privacy.until", { time: { time: session.deleteTime } });
        else if (days === 0) show(until, "privacy.daysNone");
        else show(until, "privacy.days", { days });
        if (this.#controller) {
            show(byID("privacy-controller"), "privacy.controller", { organisation: this.#controller });
            show(byID("privacy-who"), "privacy.who", { organisation: this.#controller });
        } else {
            show(byID("privacy-controller"), "privacy.controllerUnknown");
            show(byID("privacy-who"), "privacy.whoUnknown");
        }
    }

    /// Asks who is responsible until it is known, or the session is gone.
    async learn() {
        if (this.#controller || !this.#session) return;
        try {
            this.#controller = (await call("GET", `${this.#path}/controller`)).displayName ?? null;
            if (this.#session) this.show(this.#session);
        } catch {
            setTimeout(() => this.learn(), this.#wait);
            this.#wait = Math.min(this.#wait * 2, 60000);
        }
    }

    /// The session is gone.
    forget() {
        this.#session = null;
        this.#controller = null;
        for (const place of ["privacy-controller", "privacy-who"]) clearError(byID(place));
    }
}
