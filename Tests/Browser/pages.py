"""One chat on the two web pages, as three people see it in three browsers, from the sign-in link to the certificate.

Usage: pages.py ADDRESS LINK FOLDER LINK. The links sign two administrators of one organisation in, Anna and Bo, and nobody
has used them; browsers and downloads write into FOLDER.
Screenshots are kept in the folder that SAMTAL_SCREENSHOTS names, if it does.
"""

import csv
import datetime
import hashlib
import io
import json
import pathlib
import signal
import sys
import traceback
import urllib.parse
import zipfile

from selenium.webdriver.common.keys import Keys

from browser import eventually
from story import Story, answer, asked, expect, keyboard, markup, name, step, steps, title, unwanted

address, link, folder, colleagues_link = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]).resolve(), sys.argv[4]
code = link.partition("#code=")[2]


@step("the one-time link signs the administrator in, and its code is gone from the address and the history")
def sign_in(story):
    story.moderator.opens(link)
    story.moderator.sees("h1", "Sessions", exact=True)
    story.moderator.sees("#who", "Anna Exempel, Exempelredaktionen")
    expect(story.moderator.driver.current_url == f"{address}/admin", "the address holds no code")
    expect(not any(code in entry for entry in story.moderator.history()), "the history holds no code")
    story.moderator.sees("#policy", "DPA-1")
    story.moderator.reloads()
    story.moderator.sees("#who", "Anna Exempel, Exempelredaktionen")


@step("the code signs nobody in a second time")
def code_used(story):
    story.latecomer.forgiven.append(("/v1/sign-in", 401))
    story.latecomer.opens(link)
    story.latecomer.sees("[role=alert]", "The code is unknown, used already or too old.")
    story.latecomer.sees("h1", "Sign in", exact=True)
    story.latecomer.sees_no("#who", "Anna")
    expect(code not in story.latecomer.driver.current_url, "the address holds no code")
    story.latecomer.photographs("signin")


@step("whoever goes astray sees a page in their language, and a slash too many leads to the page")
def astray(story):
    story.latecomer.forgiven.append(("/Anna-Exempel", 404))
    story.latecomer.opens(f"{address}/Anna-Exempel")
    story.latecomer.sees("h1", "There is no such page", exact=True)
    expect("Anna" not in story.latecomer.page(), "the page repeats nothing of the address")
    font = story.latecomer.script("return getComputedStyle(document.querySelector('h1')).fontFamily")
    expect("system-ui" in font, "the page has the site's look")
    story.latecomer.photographs("astray")
    story.latecomer.opens(f"{address}/admin/?x=y")
    story.latecomer.sees("h1", "Sign in", exact=True)
    expect(story.latecomer.driver.current_url == f"{address}/admin?x=y", "the address has no slash too many")


@step("the administrator creates a session")
def create(story):
    story.moderator.types("Title", title)
    story.moderator.presses("Create")
    story.moderator.sees("h1", title, exact=True)
    story.moderator.sees(".badge", "Not open yet")
    shared = story.moderator.script("return document.querySelector('#link').value")
    story.id = shared.rpartition("/s/")[2]
    expect(shared == f"{address}/s/{story.id}" and story.id, "the link to share is this session's")
    story.moderator.sees("#facts code", story.id, exact=True)


@step("a participant waits for the opening, and sees it without reloading")
def opening(story):
    story.participant.opens(f"{address}/s/{story.id}")
    story.participant.sees("h1", title, exact=True)
    story.participant.sees("#notice", "Samtalet är inte öppnat än.")
    story.stays(story.participant)
    story.moderator.photographs("draft")
    story.moderator.presses("Open")
    story.moderator.sees(".badge", "Live", exact=True)
    story.participant.sees(".badge", "Pågår", exact=True)
    story.participant.sees_no("#notice")
    story.stayed(story.participant)


@step("before the first question it is said who is responsible, what becomes public, until when, and whom to write to")
def informed(story):
    person = story.participant
    notice = person.sees("#privacy", "Personuppgiftsansvarig är Exempelredaktionen")
    for words in ("Du behöver inget namn.", "Om den publiceras kan alla läsa den",
                  "Allt raderas 30 dagar efter att samtalet avslutats, och senast en kalendermånad efter slutet."):
        expect(words in notice.text, f"the notice says {words}")
    above = "return arguments[0].getBoundingClientRect().bottom <= document.querySelector('#join').getBoundingClientRect().top"
    expect(person.script(above, notice), "it is read before one joins")
    person.presses("Läs mer", within="#privacy")
    person.sees("#privacy", "Skriv till Exempelredaktionen om du vill veta")
    person.sees("#privacy", "Sverige (se-stockholm-1), enligt vad den som driver tjänsten har uppgett")
    link = person.sees("#privacy a", "hjalp@example.se")
    expect(link.get_attribute("href") == "mailto:hjalp@example.se", "support is one press away")
    with person.in_a_window(320):
        wide = person.script("return document.documentElement.scrollWidth")
        expect(wide <= 320, f"the page fits a narrow window, with {wide} pixels")
    person.photographs("informed")
    person.presses("Läs mer", within="#privacy")


@step("the administrator reads where data is kept, as declared, and whom to write to about the agreement")
def declared(story):
    link = story.latecomer.visible("footer a", "hjalp@example.se")
    expect(link, "whom to write to is on the page for signing in")
    story.moderator.sees("footer", "Data is kept in Sweden (se-stockholm-1), as declared by whoever runs the service.")
    contact = story.moderator.script("return document.querySelector('.contact a').href")
    expect(contact == "mailto:avtal@example.se", f"the contact is named, and not {contact}")


@step("the participant joins under a name and asks; the question is shown as waiting")
def ask(story):
    story.participant.presses("Gå med under namnet")
    story.participant.sees("[role=alert]", "Skriv ett namn")
    story.participant.photographs("join")
    story.participant.types("Namn", name)
    story.participant.presses("Gå med under namnet")
    story.participant.sees("#ask", f"Du frågar som {name}")
    story.stays(story.moderator)
    story.participant.types("Din fråga", asked)
    story.participant.presses("Skicka frågan")
    card = story.participant.sees("#own li", asked)
    expect("Väntar på en moderator" in card.text, "the question is shown as waiting")
    story.participant.sees("#empty", "Inga frågor är publicerade än.")


@step("the moderator sees the question live, publishes and answers it")
def moderate(story):
    card = story.moderator.sees("#pending li", asked)
    expect(name in card.text, "the name is shown as it was typed")
    story.stayed(story.moderator)
    story.moderator.photographs("pending")
    story.moderator.presses("Publish", within=("#pending li", asked))
    story.moderator.sees("#published li", asked)
    story.moderator.sees_no("#pending li")
    story.participant.sees("#questions li", asked)
    story.participant.sees_no("#own li")
    story.moderator.presses("Answer", within=("#published li", asked))
    expect(story.moderator.focused().startswith("text-"), "the form for the answer has the focus")
    story.moderator.types("Answer", answer, within="#published")
    story.moderator.types("Answered by", "Elin Exempel", within="#published")
    story.moderator.presses("Publish the answer")
    story.moderator.sees("#published li .answer", answer)


@step("the participant sees the answer live")
def answered(story):
    shown = story.participant.sees("#questions li .answer", answer)
    expect("Svar från Elin Exempel" in shown.text, "the answer says who gave it")
    story.participant.sees("#questions li .badge", "Din fråga", exact=True)
    story.stayed(story.participant)


@step("somebody who joins later, anonymously and by keyboard alone, sees it too and asks")
def keyboard_only(story):
    person = story.latecomer
    person.opens(f"{address}/s/{story.id}")
    person.sees("#questions li .answer", answer)
    person.keys(Keys.TAB)
    expect(person.focused() == "Skip to the content", f"the first stop skips the header, not {person.focused()}")
    person.keys(Keys.ENTER)
    eventually("the content has the focus", lambda: person.focused() == "content")
    person.keys(Keys.TAB)
    expect(person.focused() == "Read more", f"the next stop is the notice, not {person.focused()}")
    person.keys(Keys.ENTER)
    person.sees("#privacy", "Write to Exempelredaktionen to learn on which legal basis")
    person.sees("#privacy", "You may complain to the data protection authority")
    person.keys(Keys.ENTER)
    person.sees_no("#privacy", "You may complain")
    for stop in ("name", "Join with this name", "join-anonymous"):
        person.keys(Keys.TAB)
        expect(person.focused() == stop, f"the next stop is {stop}, not {person.focused()}")
    person.keys(Keys.ENTER)
    person.sees("#ask", "You are asking anonymously")
    eventually("the field for the question has the focus", lambda: person.focused() == "text")
    ring = person.script("return getComputedStyle(document.activeElement).outlineStyle")
    expect(ring == "solid", "the focus can be seen")
    person.keys(keyboard)
    person.photographs("ask")
    person.keys(Keys.TAB, Keys.ENTER)
    card = person.sees("#own li", keyboard)
    expect("Anonymous" in card.text and "Waiting for a moderator" in card.text, "asked anonymously, and waiting")
    eventually("the field is ready for another question", lambda: person.focused() == "text")
    story.moderator.sees("#pending li", keyboard)


@step("markup that somebody types is shown as text, everywhere")
def markup_is_text(story):
    story.stays(story.latecomer)
    story.participant.types("Din fråga", markup)
    story.participant.presses("Skicka frågan")
    story.participant.sees("#own li .question-text", markup, exact=True)
    story.moderator.sees("#pending li .question-text", markup, exact=True)
    story.moderator.presses("Publish", within=("#pending li", markup))
    for person, list_ in (
        (story.moderator, "#published"), (story.participant, "#questions"), (story.latecomer, "#questions"),
    ):
        person.sees(f"{list_} li .question-text", markup, exact=True)
        found = person.script("return document.querySelectorAll('main img, main script, main b, main i').length")
        expect(found == 0, f"{person.name}'s page has no element of somebody's making")
        expect(person.script("return window.breached === undefined"), f"no such script ran for {person.name}")
    story.stayed(story.latecomer)


@step("a question that is rejected reaches no public list")
def reject(story):
    story.participant.types("Din fråga", unwanted)
    story.participant.presses("Skicka frågan")
    story.moderator.sees("#pending li", unwanted)
    story.moderator.presses("Reject", within=("#pending li", unwanted))
    story.moderator.sees_no("#pending li", unwanted)
    story.moderator.presses("Rejected", within="details")
    story.moderator.sees("#rejected li", unwanted)
    card = story.participant.sees("#own li", unwanted)
    eventually("who asked it reads so, without reloading", lambda: "Publiceras inte" in card.text)
    story.moderator.photographs("moderation")
    # What is published after it comes after it in the feed.
    story.moderator.presses("Publish", within=("#pending li", keyboard))
    for person in (story.participant, story.latecomer):
        person.sees("#questions li", keyboard)
        person.sees_no("#questions li", unwanted)
    story.latecomer.sees_no("main", unwanted)


@step("a reload keeps who one is; the participant reads that the rejected question will not be published")
def reload(story):
    story.participant.reloads()
    story.participant.sees("#ask", f"Du frågar som {name}")
    story.participant.sees("#questions li", keyboard)
    story.participant.sees_no("#questions li", unwanted)
    card = story.participant.sees("#own li", unwanted)
    expect("Publiceras inte" in card.text, "the rejected question is shown as such to who asked it")
    expect(len(story.participant.visible("#questions .badge", "Din fråga")) == 2, "one's own are marked")
    story.participant.photographs("participant")


@step("Swedish and English are one press apart, and the choice is kept")
def language(story):
    def speaks(tag, *texts):
        for text in texts:
            story.participant.sees("main", text)
        expect(story.participant.script("return document.documentElement.lang") == tag, f"the page says {tag}")

    speaks("sv", "Ställ en fråga", "Svar från Elin Exempel", "Pågår")
    story.participant.presses("In English")
    speaks("en", "Ask a question", "Answer from Elin Exempel", "Live", f"You are asking as {name}")
    story.participant.sees_no("main", "Ställ en fråga")
    story.participant.reloads()
    speaks("en", "Ask a question", "Published questions")
    story.participant.sees("#privacy", "Everything is erased 30 days after the session has ended")
    story.moderator.presses("På svenska")
    story.moderator.sees("main", "Styr samtalet")
    story.moderator.presses("In English")
    story.moderator.sees("main", "Run the session")


@step("the moderator ends the session; everybody reads that it has ended, and until when it is kept")
def end(story):
    story.stays(story.participant, story.latecomer)
    story.moderator.presses("End")
    story.moderator.sees("dialog", "End the session?")
    story.moderator.photographs("end-dialog")
    story.moderator.presses("Cancel", within="dialog")
    story.moderator.sees_no("dialog")
    story.moderator.sees(".badge", "Live", exact=True)
    story.moderator.presses("End")
    story.moderator.presses("Yes, end it", within="dialog")
    story.moderator.sees(".badge", "Ended", exact=True)
    until = story.moderator.script(
        "return [...document.querySelectorAll('#facts dt')]"
        ".find((term) => term.innerText === 'Erased at the latest').nextElementSibling.firstElementChild.dateTime")
    days = (datetime.datetime.fromisoformat(until) - datetime.datetime.now(datetime.timezone.utc)).days
    expect(27 <= days <= 30, f"it is kept for 30 days or one calendar month, not {days} days")
    shown = story.moderator.sees(f"#facts time[datetime='{until}']").text
    for person in (story.participant, story.latecomer):
        person.sees(".badge", "Ended", exact=True)
        person.sees("#notice", "The session has ended.")
        person.sees("#notice", shown)
        person.sees_no("#ask")
        person.sees("#questions li .answer", answer)
    story.stayed(story.participant, story.latecomer)
    story.participant.photographs("ended")


@step("the export is a whole ZIP with every text")
def export(story):
    story.moderator.presses("Export")
    with zipfile.ZipFile(story.moderator.downloaded(f"samtal-{story.id}.zip")) as archive:
        expect(archive.testzip() is None, "every file of the archive agrees with its checksum")
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    expect(set(files) == {"session.json", "questions.csv", "manifest.json"}, f"three files, not {sorted(files)}")
    log = json.dumps(json.loads(files["session.json"]), ensure_ascii=False)
    rows = "\n".join("\n".join(row) for row in csv.reader(io.StringIO(files["questions.csv"].decode("utf-8-sig"))))
    for text in (asked, markup, unwanted, keyboard, name):
        expect(json.dumps(text, ensure_ascii=False)[1:-1] in log, f"session.json holds {text!r}")
        expect(text in rows, f"questions.csv holds {text!r}")
    expect(json.dumps(answer, ensure_ascii=False)[1:-1] in log, "session.json holds the answer")
    digests = files["manifest.json"].decode()
    for entry in ("session.json", "questions.csv"):
        expect(hashlib.sha256(files[entry]).hexdigest() in digests, f"the manifest holds the digest of {entry}")


@step("erasing asks for the session's id, and does nothing for another")
def wrong_id(story):
    story.moderator.presses("Erase")
    story.moderator.sees("dialog", "Erase the session for ever?")
    story.moderator.types("The session's id", story.id[:-1], within="dialog")
    story.moderator.keys(Keys.ENTER)
    story.moderator.sees("dialog", "Erase the session for ever?")
    button = story.moderator.sees("dialog button", "Erase for ever", exact=True)
    expect(not button.is_enabled(), "the button does nothing for a wrong id")
    story.moderator.photographs("erase-dialog")
    story.moderator.presses("Cancel", within="dialog")
    story.moderator.sees_no("dialog")
    story.moderator.sees("h1", title, exact=True)
    story.latecomer.reloads()
    story.latecomer.sees("#questions li", asked)
    story.latecomer.sees("#notice", "The session has ended.")


@step("the session is erased, and the certificate is shown")
def erase(story):
    story.stays(story.participant)
    story.moderator.presses("Erase")
    story.moderator.types("The session's id", story.id, within="dialog")
    story.moderator.presses("Erase for ever", within="dialog")
    story.moderator.sees("h1", "Certificate of erasure", exact=True)
    for text in (story.id, "On request", "Sweden (se-stockholm-1)"):
        story.moderator.sees("#certificate-facts", text)
    story.moderator.sees("#statement", story.id)
    expect(len(story.moderator.sees("#signature").text) >= 80, "the signature is shown")
    story.moderator.photographs("certificate")
    story.moderator.presses("Download the certificate")
    certificate = json.loads(story.moderator.downloaded(f"samtal-{story.id}.certificate.json").read_text())
    statement = json.loads(certificate["certificate"]["statement"])
    expect(statement["session"] == story.id, "the download is this session's certificate")
    story.moderator.presses("← All sessions", within="#view-certificate")
    story.moderator.sees("#no-sessions", "There are no sessions.")
    story.moderator.sees("#certificates li", "Certificate 1")
    story.holds_nothing(story.moderator, "after its erasure")
    story.moderator.photographs("sessions")


@step("a session that the operator erased says so, with the instruction that was named")
def on_instruction(story):
    told = "Erased by whoever runs the service, on your instruction: Ärende 2026/17"
    story.moderator.sees("#certificates li", told).find_element("css selector", "a").click()
    story.moderator.sees("h1", "Certificate of erasure", exact=True)
    for text in ("Whoever runs the service, on your instruction", "Ärende 2026/17"):
        story.moderator.sees("#certificate-facts", text)
    story.moderator.photographs("certificate-instruction")
    story.moderator.presses("← All sessions", within="#view-certificate")
    story.moderator.sees("#no-sessions", "There are no sessions.")


@step("the participants' pages say that the session is gone, and hold nothing of it")
def gone(story):
    for person in (story.participant, story.latecomer):
        person.forgiven += [(f"/v1/sessions/{story.id}(/events\\?after=\\d+)?", 404)]
        person.sees("h1", "The session does not exist, or has been erased.", exact=True)
    story.stayed(story.participant)
    story.participant.photographs("gone")
    for person in (story.participant, story.latecomer):
        for what in ("now", "after a reload"):
            story.holds_nothing(person, what)
            kept = person.script(
                "return JSON.stringify([sessionStorage, localStorage].map((store) => Object.entries(store)))")
            expect(story.id not in kept, f"{person.name}'s browser remembers nothing of the session {what}")
            person.reloads()
            person.sees("h1", "The session does not exist, or has been erased.", exact=True)


@step("a link that the operator made is said on every view, with the instruction, and an administrator revokes it")
def instructed(story):
    story.moderator.reloads()
    story.moderator.sees("#operator-notice", "Whoever runs the service has made a sign-in link")
    row = story.moderator.sees("#operator-codes li", "Eva Ek")
    expect("Ärende 2026/18" in row.text, "the instruction is told")
    story.moderator.sees("#codes li", "On your instruction: Ärende 2026/18")
    story.moderator.photographs("operator-code")
    story.moderator.presses("Revoke", within=("#operator-codes li", "Eva Ek"))
    story.moderator.sees_no("#operator-notice")
    expect("Revoked" in story.moderator.sees("#codes li", "Eva Ek").text, "what became of it is on record")
    story.moderator.sees("#codes li", "Made by whoever runs the service")


@step("an administrator adds another and makes a link for them, which is shown once")
def let_in(story):
    story.moderator.types("Name", "Ida Ek")
    story.moderator.types("E-mail address", "bo@example.se")
    story.moderator.forgiven.append(("/v1/organisations/[^/]+/administrators", 409))
    story.moderator.presses("Add")
    story.moderator.sees("#administrators-error", "The address already belongs to an administrator.")
    story.moderator.types("E-mail address", "ida@example.se")
    story.moderator.presses("Add")
    story.moderator.sees("#administrators li", "ida@example.se")
    story.moderator.presses("Sign-in link", within=("#administrators li", "Ida Ek"))
    story.moderator.sees("dialog", "Link for Ida Ek")
    made = story.moderator.script("return document.querySelector('#new-link').value")
    expect(made.startswith(f"{address}/admin#code="), f"the link is one: {made}")
    story.moderator.photographs("link-dialog")
    story.moderator.presses("Close", within="dialog")
    story.moderator.sees_no("dialog")
    left = story.moderator.script("return document.querySelector('#new-link').value")
    expect(left == "", "the page does not keep the link")
    row = story.moderator.sees("#codes li", "Ida Ek")
    expect("Made by Anna Exempel" in row.text and "Works" in row.text, f"it is on record: {row.text}")
    for name in ("Ida Ek", "Eva Ek"):
        story.moderator.presses("Remove", within=("#administrators li", name))
        story.moderator.presses("Remove", within="dialog")
        story.moderator.sees_no("#administrators li", name)


@step("an administrator removes another, who is asked about by name; nothing happens before it is confirmed")
def remove(story):
    colleague = story.latecomer
    colleague.opens(colleagues_link)
    colleague.sees("#who", "Bo Ek, Exempelredaktionen")
    # A session that he follows live.
    colleague.types("Title", "Ett samtal till")
    colleague.presses("Create")
    colleague.sees("h1", "Ett samtal till", exact=True)
    story.moderator.reloads()
    story.moderator.sees("#administrators li", "Anna Exempel")
    row = story.moderator.sees("#administrators li", "bo@example.se")
    expect("Bo Ek" in row.text and "You" not in row.text, "the colleague is shown by name and address")
    expect("You" in story.moderator.sees("#administrators li", "Anna Exempel").text, "one sees which is oneself")
    story.moderator.presses("Remove", within=("#administrators li", "Anna Exempel"))
    story.moderator.sees("dialog", "This is you.")
    story.moderator.presses("Cancel", within="dialog")
    story.moderator.sees_no("dialog")
    story.moderator.presses("Remove", within=("#administrators li", "Bo Ek"))
    story.moderator.sees("dialog", "Remove Bo Ek?")
    story.moderator.sees("dialog", "Bo Ek (bo@example.se) is signed out everywhere at once")
    story.moderator.sees_no("dialog", "This is you.")
    expect(story.moderator.focused() == "Cancel", f"a careless Enter removes nobody, not {story.moderator.focused()}")
    story.moderator.photographs("remove-dialog")
    story.moderator.keys(Keys.ENTER)
    story.moderator.sees_no("dialog")
    story.moderator.sees("#administrators li", "Bo Ek")
    colleague.sees("h1", "Ett samtal till", exact=True)


@step("within seconds whoever was removed is signed out, without touching the page; the last one can't be removed")
def removed(story):
    colleague = story.latecomer
    colleague.forgiven += [
        ("/v1/sessions/[^/]+/events\\?audience=MODERATORS&after=\\d+", 401), ("/v1/tokens:refresh", 401),
    ]
    story.moderator.presses("Remove", within=("#administrators li", "Bo Ek"))
    story.moderator.presses("Remove", within="dialog")
    story.moderator.sees_no("#administrators li", "Bo Ek")
    story.moderator.sees("#administrators-alone", "The only administrator can't be removed.")
    story.moderator.sees_no("#administrators .danger")
    story.moderator.photographs("administrators")
    colleague.sees("h1", "Sign in", exact=True)
    colleague.sees("[role=alert]", "You are signed out.")
    for word in ("Bo Ek", "bo@example.se", "Ett samtal till"):
        held = colleague.script("return document.documentElement.outerHTML.includes(arguments[0])", word)
        expect(not held, f"the page holds nothing of {word!r}")
    colleague.reloads()
    colleague.sees("h1", "Sign in", exact=True)


@step("signing out forgets the administrator")
def sign_out(story):
    story.moderator.presses("Sign out")
    story.moderator.sees("h1", "Sign in", exact=True)
    story.moderator.reloads()
    story.moderator.sees("h1", "Sign in", exact=True)
    expect(story.moderator.script("return sessionStorage.getItem('samtal-refresh')") is None, "no token is left")


@step("the first page leads to the administration")
def home(story):
    story.latecomer.opens(address)
    story.latecomer.sees("h1", "Questions and answers, live")
    story.latecomer.photographs("home")
    story.latecomer.presses("Go to administration")
    story.latecomer.sees("h1", "Sign in", exact=True)


@step("no console error, no breach of the content policy, no request to anybody else, no cookie")
def clean(story):
    own = urllib.parse.urlsplit(address).netloc
    for person in story.people:
        complaints = person.complaints()
        expect(not complaints, f"{person.name}'s console: {complaints}")
        addresses, setting = person.traffic()
        expect(len(addresses) > 10, f"{person.name}'s requests were watched")
        strangers = [
            url for url in addresses
            if urllib.parse.urlsplit(url.removeprefix("blob:")).netloc != own
        ]
        expect(not strangers, f"{person.name}'s browser asked others: {strangers}")
        expect(not setting and not person.cookies(), f"{person.name} has no cookie")
        expect(person.script("return localStorage.length") == 0, f"{person.name}'s browser keeps nothing for longer")


def main():
    def late(*_):
        raise TimeoutError("the story took too long")

    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGTERM, late)
    signal.alarm(150)
    story = Story()
    what = "three browsers start"
    try:
        story.begin(folder)
        for what, play in steps:
            play(story)
            print("seen:", what, flush=True)
        print(f"{len(steps)} of {len(steps)} steps seen")
    except Exception:
        print("NOT SEEN:", what)
        traceback.print_exc(file=sys.stdout)
        for person in story.people:
            print(f"{person.name}'s console: {person.complaints()}")
        return 1
    finally:
        signal.alarm(0)
        story.end()
    return 0


sys.exit(main())
