"""The retention time as administrators meet it on the page: a new agreement, a shorter time, none at all, and the steps
from the end of a chat to its erasure.

Usage: retention.py ADDRESS LINK FOLDER COLLEAGUE OLD RECENT OPEN. LINK and COLLEAGUE sign two administrators in. OLD and
RECENT are sessions that ended ten days ago and just now, OPEN is one that goes on; all are kept for 30 days, under an
agreement that has allowed 20 since. Screenshots are kept in the folder that SAMTAL_SCREENSHOTS names, if it does.
"""

import pathlib
import signal
import sys
import traceback

from browser import Person, eventually
from story import expect

address, link = sys.argv[1:3]
folder = pathlib.Path(sys.argv[3]).resolve()
colleague_link, old, recent, ongoing = sys.argv[4:8]

counts = """return Object.fromEntries([...document.querySelectorAll('#shorten-counts dt')]
    .map((term) => [term.innerText, term.nextElementSibling.innerText]))"""


def asks(person, days):
    """Fills in the days and asks what they do."""
    person.types("Days that sessions are kept after the end", str(days))
    person.presses("See what happens")
    person.sees("dialog h2", f"Keep sessions for {days} days?", exact=True)


def ticks(person, text):
    eventually(f"{person.name} ticks {text!r}", lambda: person.visible("label.check", text))[0].click()


def button(person, text):
    return person.sees("dialog button", text, exact=True)


def days_shown(person, days):
    person.sees("#policy", f"{days} days, at most one calendar month")


def new_agreement(person, participant):
    """A new agreement is named, and touches older sessions when it has been confirmed."""
    participant.opens(f"{address}/s/{recent}")
    before = participant.sees("#notice", "Allt raderas senast").text
    person.opens(link)
    person.sees("#agreement-notice", "A new agreement is in force (version 2). It allows 20 days at most.")
    person.sees("#agreement-counts", "Erased earlier than before")
    days_shown(person, 20)
    person.photographs("agreement-notice")
    person.presses("Review and confirm")
    person.sees("dialog h2", "Let all sessions follow the agreement's 20 days?", exact=True)
    found = person.script(counts)
    expect(found == {"Erased earlier than before": "2", "Not ended yet, kept for a shorter time": "1"}, found)
    for title in ("Tio dagar sedan", "Nyss avslutat"):
        row = person.sees("dialog li", title)
        expect("→" in row.text, f"both dates are shown: {row.text}")
    person.presses("Cancel", within="dialog")
    person.sees("#agreement-notice", "Review and confirm")
    expect(participant.sees("#notice", "Allt raderas senast").text == before, "cancelling changes no date")
    person.presses("Review and confirm")
    person.presses("Yes, change it", within="dialog")
    person.sees("#policy-done", "The agreement is confirmed, and all sessions follow it.", exact=True)
    person.sees_no("#agreement-notice")
    eventually("the participant is shown the new date without reloading", lambda: (
        participant.sees("#notice", "Allt raderas senast").text != before))


def shorter(person, participant):
    """A shorter time is shown with what it erases, and does nothing until that has been agreed to."""
    participant.script("window.stayed = true")
    before = participant.sees("#notice", "Allt raderas senast").text
    asks(person, 7)
    found = person.script(counts)
    expect(found == {
        "Erased at once": "1", "Erased earlier than before": "1", "Not ended yet, kept for a shorter time": "1",
    }, found)
    expect("erased at once" in person.sees("dialog li", "Tio dagar sedan").text, "the one that goes is named")
    yes = button(person, "Change it, and erase now")
    expect(not yes.is_enabled(), "nothing is erased without being agreed to")
    person.photographs("shorten")
    person.presses("Cancel", within="dialog")
    days_shown(person, 20)
    person.sees("#sessions", "Tio dagar sedan")
    asks(person, 7)
    ticks(person, "Ended sessions that are erased for ever, now: 1.")
    person.presses("Change it, and erase now", within="dialog")
    days_shown(person, 7)
    person.sees("#certificates li", "Certificate 1")
    person.sees_no("#sessions", "Tio dagar sedan")
    eventually("the participant is shown the new date without reloading", lambda: (
        participant.sees("#notice", "Allt raderas senast").text != before))
    expect(participant.script("return window.stayed === true"), "without reloading")


def ending(person, participant):
    """Ending a chat leads to its export, the confirmation that it came, and the erasure, or to leaving it."""
    person.opens(f"{address}/admin#session={ongoing}")
    person.sees("#facts", "7 days after the end")
    person.presses("End")
    person.sees("dialog", "The session is erased by itself 7 days after its end")
    person.presses("Yes, end it", within="dialog")
    person.sees("#ending", "The export has come and can be opened.")
    expect(person.focused() == "ending", f"the steps have the focus, not {person.focused()}")
    shown = person.sees("#ending-leave", "let it be erased by itself")
    date = person.script("return arguments[0].querySelector('time').dateTime", shown)
    expect(date == person.script("""return [...document.querySelectorAll('#facts dt')]
        .find((term) => term.innerText === 'Erased at the latest').nextElementSibling.firstElementChild.dateTime"""),
        "the date is the session's")
    expect(not person.sees("#ending-received").is_enabled(), "there is nothing to confirm yet")
    person.photographs("ending")
    person.presses("Erase", within="#ending")
    person.sees("dialog", "You have not confirmed that the export has come.")
    person.presses("Cancel", within="dialog")
    person.presses("Export", within="#ending")
    person.downloaded(f"samtal-{ongoing}.zip")
    person.sees("#ending-exported", "The export is downloaded.")
    ticks(person, "The export has come and can be opened.")
    person.presses("Erase", within="#ending")
    person.sees("dialog", "Erase the session for ever?")
    person.sees_no("dialog", "You have not confirmed")
    person.presses("Cancel", within="dialog")
    person.photographs("ending-exported")


def no_days(person, colleague):
    """No days at all has to be meant; and what changed while somebody was reading is shown anew, not erased."""
    colleague.opens(colleague_link)
    colleague.sees("#who", "Bo Exempel")
    colleague.types("Title", "Kollegans")
    colleague.presses("Create")
    colleague.sees("h1", "Kollegans", exact=True)
    colleague.presses("Open")
    colleague.sees(".badge", "Live", exact=True)
    person.presses("← All sessions", within="#view-session")
    person.sees("h1", "Sessions", exact=True)
    asks(person, 0)
    person.sees("dialog", "with 0 days each session is erased the moment it ends")
    yes = button(person, "Change it, and erase now")
    found = person.script(counts)
    expect(found == {"Erased at once": "2", "Not ended yet, kept for a shorter time": "1"}, found)
    ticks(person, "Ended sessions that are erased for ever, now: 2.")
    expect(not yes.is_enabled(), "the other thing has to be agreed to, too")
    ticks(person, "I understand that with 0 days")
    expect(yes.is_enabled(), "both are agreed to")
    person.photographs("zero-days")

    colleague.presses("End")
    colleague.presses("Yes, end it", within="dialog")
    colleague.sees(".badge", "Ended", exact=True)
    # Retention hears of the end a moment later; until then the count is still the one that was shown.
    other = colleague.script("return location.hash.slice('#session='.length)")
    eventually("retention knows that it has ended", lambda: ended_there(colleague, other))

    person.forgiven.append(("/v1/organisations/[^/]+/policy", 400))
    person.presses("Change it, and erase now", within="dialog")
    person.sees("dialog", "The sessions have changed since you last saw the list. Nothing has been done.")
    expect(person.script(counts) == {"Erased at once": "3"}, "it is counted anew")
    expect(not button(person, "Change it, and erase now").is_enabled(), "and agreed to anew")
    person.sees("dialog li", "Kollegans")
    person.photographs("outdated")
    person.presses("Cancel", within="dialog")
    days_shown(person, 7)
    asks(person, 0)
    ticks(person, "I understand that with 0 days")
    ticks(person, "Ended sessions that are erased for ever, now: 3.")
    person.presses("Change it, and erase now", within="dialog")
    person.sees("#policy", "Nothing: erased the moment a session ends")
    colleague.forgiven.append(("/v1/sessions/[^/]+(/events.*)?", 404))
    colleague.sees("#notice", "The session does not exist, or has been erased.")


def ended_there(colleague, session):
    """Asks as the colleague's page does, in its own name: a second tab of theirs would see the same."""
    colleague.presses("← All sessions", within="#view-session")
    colleague.sees("h1", "Sessions", exact=True)
    asks(colleague, 0)
    known = colleague.script(counts).get("Erased at once") == "3"
    colleague.presses("Cancel", within="dialog")
    colleague.sees_no("dialog")
    colleague.script("location.hash = `session=${arguments[0]}`", session)
    colleague.sees("h1", "Kollegans", exact=True)
    return known


def end_of_none(person):
    """A session that is kept for no days says so before it ends."""
    person.types("Title", "Inget sparas")
    person.presses("Create")
    person.sees("h1", "Inget sparas", exact=True)
    person.presses("Open")
    person.sees(".badge", "Live", exact=True)
    person.presses("End")
    person.sees("dialog", "the session is erased the moment it ends")
    expect(not button(person, "Yes, end it").is_enabled(), "it has to be meant")
    person.photographs("end-zero")
    ticks(person, "I have exported what is to be kept.")
    session = person.script("return location.hash.slice('#session='.length)")
    person.forgiven.append(("/v1/sessions/[^/]+(/events.*|/certificate)?", 404))
    person.presses("Yes, end it", within="dialog")
    person.sees("h1", "Certificate of erasure", exact=True)
    person.sees("#certificate-facts", session)
    person.presses("← All sessions", within="#view-certificate")
    person.sees("h1", "Sessions", exact=True)
    numbers = person.script("return [...document.querySelectorAll('#certificates strong')].map((one) => one.textContent)")
    expect(numbers == [f"Certificate {number}" for number in range(len(numbers), 0, -1)], f"the newest is first: {numbers}")


def main():
    def late(*_):
        raise TimeoutError("it took too long")

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, late)
    signal.alarm(240)
    people = []

    def arrives(name, language):
        people.append(Person(name, language, folder))
        return people[-1]

    try:
        person, participant = arrives("administrator", "en-GB"), arrives("participant", "sv-SE")
        new_agreement(person, participant)
        shorter(person, participant)
        ending(person, participant)
        participant.forgiven.append((f"/v1/sessions/{recent}(/events.*)?", 404))
        no_days(person, arrives("colleague", "en-GB"))
        participant.sees("h1", "Samtalet finns inte, eller är raderat.", exact=True)
        end_of_none(person)
        for one in people:
            complaints = one.complaints()
            expect(not complaints, f"{one.name}'s console: {complaints}")
        print("all steps seen")
    except Exception:
        traceback.print_exc(file=sys.stdout)
        for one in people:
            print(f"{one.name}'s console: {one.complaints()}")
        return 1
    finally:
        signal.alarm(0)
        for one in people:
            one.leave()
    return 0


sys.exit(main())
