"""The third chapter: the end of the session, its export, its erasure and the certificate."""

import csv
import datetime
import hashlib
import io
import json
import zipfile

from selenium.webdriver.common.keys import Keys

from story import answer, asked, expect, keyboard, markup, name, step, title, unwanted


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
    for text in (story.id, "On request", "Sweden (se-stockholm-1)", "Overwritten where they lay, in ", "removed, "):
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
        person.forgiven += [(f"/v1/sessions/{story.id}(/events\\?after=[0-9a-f-]*)?", 404)]
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
